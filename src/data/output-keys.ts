/** The keys that say of an output where its values are and which classes it has, as the person's own recipe has them. */
export interface OutputKeys {
  /** Undefined where no key names a column: the source itself says it, by folders or a file of its own form. */
  readonly field: string | undefined;
  readonly labels: string;
}

/** The keys of an output that stands in a recipe's `outputs`. */
export function keysInOutputs(output: string): OutputKeys {
  return { field: `outputs.${output}.field`, labels: `outputs.${output}.labels` };
}

/**
 * For remedies: to name the column that holds an output's values.
 *
 * @param what the values, for people: `the class`
 * @param or what else can be done, after a comma
 */
export function fieldRemedy({ field }: OutputKeys, what: string, or = ''): string {
  return field === undefined
    ? `Bring rows that have ${what}${or}.`
    : `Set ${field} to the column that holds ${what}${or}.`;
}
