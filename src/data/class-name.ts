import { z } from 'zod';

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const NUMBERED = /^label[\s_-]*(\d+)$/i;

/** The number that a class name is (`3`, `-1`, `007`, `1.0`); undefined for other names. */
export function numberOfName(name: string): number | undefined {
  const text = name.trim();
  return NUMBER.test(text) ? Number(text) : undefined;
}

/** The index in a name that says nothing else, as transformers gives them (`LABEL_3` is 3); undefined for other names. */
export function indexOfName(name: string): number | undefined {
  const index = NUMBERED.exec(name.trim())?.[1];
  return index === undefined ? undefined : Number(index);
}

/**
 * What is left of a class name without case, without spaces at its ends, and with one space for spaces, hyphens and
 * underscores inside; of a number its value (`1.0` and `01` are 1). Names that are equal in it are most likely one class.
 */
export function looseName(name: string): string {
  const number = numberOfName(name);
  // 64-bit numbers that a float does not tell apart are not alike.
  if (number !== undefined)
    return Number.isSafeInteger(number) || number % 1 !== 0 ? `${number}` : name.trim();
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_-]+/gu, ' ')
    .trim();
}

/** A class name in a recipe: YAML makes numbers and booleans of some. */
export const className = z.union([
  z.string().min(1),
  z.number().transform(String),
  z.boolean().transform(String),
]);

/** What a recipe says to give labels another name, for remedies: `data.renameLabels: [{ from: "Spam", to: "spam" }]`. */
export function renaming(from: readonly string[], to: string | null): string {
  const names = from.map((name) => JSON.stringify(name));
  const list = names.length === 1 ? names[0] : `[${names.join(', ')}]`;
  return `data.renameLabels: [{ from: ${list}, to: ${JSON.stringify(to)} }]`;
}
