import { isUtf8, textOf } from '../../platform/bytes.ts';
import { numberOfName } from './class-name.ts';

/** What no encoding can store: two labels, or two ids, would be one. */
const HALF_PAIR = /\p{Surrogate}/u;

/** Stands for bytes that are no text. */
export const NOT_UTF8 = Symbol('bytes that are not UTF-8');

/** Binary columns as text. */
export function textOfBytes(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return isUtf8(value) ? textOf(value) : NOT_UTF8;
}

/**
 * The class of a row, from the value of its label column. Without declared names every text, number and boolean is a
 * class name as it stands, spaces and case included. With them a whole number (`3`, `"3"`, `3.0`) is a position in their
 * list, -1 is no label (as data sets on the hub write it), and a text is one of the names.
 */
export function readLabel(
  value: unknown,
  classNames: readonly string[] | undefined,
): { readonly label?: string; readonly noLabel?: string; readonly problem?: string } {
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'number' && Number.isNaN(value)) return { noLabel: 'NaN' };
  const text = scalarText(value);
  if (text === undefined) return { problem: 'which is no class name' };
  if (text.trim() === '') return { noLabel: text };
  if (HALF_PAIR.test(text)) return { problem: 'which has half of a surrogate pair' };
  if (!classNames || classNames.includes(text)) return { label: text };
  const number = numberOfName(text);
  if (number === -1) return {};
  const name = number === undefined ? undefined : classNames[number];
  if (name !== undefined) return { label: name };
  return { problem: `which is none of the ${classNames.length} classes that the data set declares` };
}

/** A text, number or boolean as text; undefined for other values. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

/** A value as a person reads it, shortly; values of any depth, and integers that JSON does not have. */
export function shownValue(value: unknown): string {
  let text: string;
  try {
    text =
      JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)) ??
      'missing';
  } catch {
    text = 'a value of many levels';
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * A value with the whole numbers in it as numbers, at any depth: Parquet's int64 comes as bigint. Those that a float64 does not
 * hold become texts with all their digits.
 */
export function withPlainIntegers(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (Array.isArray(value)) return value.map(withPlainIntegers);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withPlainIntegers(one)]));
}
