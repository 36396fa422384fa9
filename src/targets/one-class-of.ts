/**
 * The class that is the likeliest of every place of an answer, where it is one; undefined otherwise. Places of zeros are
 * padding.
 *
 * @param logits float32 [places, classes]
 */
export function oneClassOf(logits: Float32Array, names: readonly string[]): string | undefined {
  let only: number | undefined;
  for (let start = 0; start < logits.length; start += names.length) {
    const own = logits.subarray(start, start + names.length);
    if (own.every((value) => value === 0)) continue;
    const likeliest = own.indexOf(Math.max(...own));
    if (only !== undefined && likeliest !== only) return undefined;
    only = likeliest;
  }
  return only === undefined ? undefined : names[only];
}
