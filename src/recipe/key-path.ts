/** A key path as errors write it: `data.buckets[2]`. */
export function keyText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text ? `${text}.${String(step)}` : String(step),
    '',
  );
}

/**
 * The steps of a key path as people write it: places of lists in brackets, or after a dot. Undefined for what is none.
 *
 * @example keySteps('compress[0].kind') // ['compress', 0, 'kind'], as of 'compress.0.kind'
 */
export function keySteps(text: string): (string | number)[] | undefined {
  if (!/^[^.[\]]+(\.[^.[\]]+|\[\d+\])*$/.test(text)) return undefined;
  return [...text.matchAll(/[^.[\]]+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** The text of the key that a place in an error begins with: `student.patch` of `student.patch, with a teacher of ...`; else empty. */
export function leadingKey(where: string): string {
  return /^[A-Za-z]\w*(?:\.[\w-]+|\[\d+\])*/.exec(where)?.[0] ?? '';
}
