import { z } from 'zod';
import { noneTwice } from '../../none-twice.ts';

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

/** Zero-width spaces, marks of direction, variation selectors, NUL and the like. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\0]/gu;

/** Whether a name has characters that cannot be seen. */
export function hasInvisible(name: string): boolean {
  return name.search(INVISIBLE) >= 0;
}

/**
 * What is left of a class name without case, without spaces at its ends, without characters that cannot be seen, and with
 * one space for spaces, hyphens and underscores inside; of a number its value (`1.0` and `01` are 1). Names that are equal in it are most likely one class.
 */
export function looseName(name: string): string {
  const number = numberOfName(name);
  // 64-bit numbers that a float does not tell apart are not alike.
  if (number !== undefined)
    return Number.isSafeInteger(number) || number % 1 !== 0 ? `${number}` : name.trim();
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(INVISIBLE, '')
    .replace(/[\s_-]+/gu, ' ')
    .trim();
}

/** A class name in a recipe: YAML makes numbers and booleans of some. */
export const className = z.union([
  z.string().min(1),
  z.number().transform(String),
  z.boolean().transform(String),
]);

/** Class names in a recipe, in the order of the outputs: each once. */
export const classNames = z.array(className).min(1).superRefine(noneTwice('the class'));

/** What a recipe says to give labels another name, for remedies: `data.renameLabels: [{ from: "Spam", to: "spam" }]`. */
export function renaming(from: readonly string[], to: string | null): string {
  const names = from.map(quoted);
  const list = names.length === 1 ? names[0] : `[${names.join(', ')}]`;
  return `data.renameLabels: [{ from: ${list}, to: ${to === null ? null : quoted(to)} }]`;
}

/** A name as YAML and JSON take it, with escapes for what cannot be seen. */
function quoted(name: string): string {
  return JSON.stringify(name).replace(INVISIBLE, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
