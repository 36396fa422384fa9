import { listInText } from '../labels/lists-in-text.ts';

/** Values that are lists of names. */
export interface SeveralNames {
  /** Between the names of a text; absent where the values are lists already. */
  readonly separator?: string;
  /** The commonest names with the rows that have them. */
  readonly names: readonly (readonly [string, number])[];
  /** Different names. */
  readonly distinct: number;
}

/** Commas are not among them: they are in every sentence. */
const SEPARATORS = ['|', ';'] as const;
/** Rows with more than one name, at least. */
const SEVERAL_SHARE = 0.05;
/** Characters of a name, at most. */
const LONGEST_NAME = 60;
/** Rows that a name has on average, at least: of fewer it is no class. */
const ROWS_A_NAME = 5;
const MOST_SHOWN = 50;

/** What the values of a column are, where they look like lists of a few names (`animal|mammal`); undefined otherwise. */
export function severalNames(values: readonly unknown[]): SeveralNames | undefined {
  if (values.length === 0) return undefined;
  const lists = values.map((value) => (typeof value === 'string' ? listInText(value) : value));
  if (lists.every(Array.isArray)) return namesOf(lists as readonly unknown[][]);
  for (const separator of SEPARATORS) {
    const lists = values.map((value) => (typeof value === 'string' ? value.split(separator) : []));
    const found = namesOf(lists);
    if (found) return { ...found, separator };
  }
  return undefined;
}

function namesOf(lists: readonly (readonly unknown[])[]): SeveralNames | undefined {
  const counts = new Map<string, number>();
  let several = 0;
  for (const list of lists) {
    if (list.length > 1) several++;
    for (const name of new Set(list)) {
      if (typeof name !== 'string' || name.trim() === '' || name.length > LONGEST_NAME) return undefined;
      counts.set(name.trim(), (counts.get(name.trim()) ?? 0) + 1);
    }
  }
  const uses = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (several < SEVERAL_SHARE * lists.length || counts.size < 2 || uses < ROWS_A_NAME * counts.size)
    return undefined;
  return {
    names: [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_SHOWN),
    distinct: counts.size,
  };
}
