import { numberOfName } from './class-name.ts';

/** What stands before the decimals of a number. */
export const DECIMAL_MARKS = ['.', ','] as const;
export type DecimalMark = (typeof DECIMAL_MARKS)[number];

/** Numbers whose groups of three digits are divided by the other mark, an apostrophe or a space of some kind, by their decimal mark. */
const GROUPED: Readonly<Record<DecimalMark, RegExp>> = {
  '.': /^[+-]?\d{1,3}(?:([,'’ \u00a0\u202f])\d{3}(?:\1\d{3})*)?(?:\.\d+)?$/,
  ',': /^[+-]?\d{1,3}(?:([.'’ \u00a0\u202f])\d{3}(?:\1\d{3})*)?(?:,\d+)?$/,
};
/** `1250,5`, `-3,5e2`. */
const COMMA_DECIMALS = /^[+-]?\d+,\d+(e[+-]?\d+)?$/i;

/**
 * The number that a text is: plain (`1250.5`, `-1e3`); with a decimal mark given also with its thousands divided (`1.250,5`).
 * Undefined for other texts.
 */
export function writtenNumber(text: string, decimal?: DecimalMark): number | undefined {
  if (decimal === undefined) return numberOfName(text);
  const trimmed = text.trim();
  if (GROUPED[decimal].test(trimmed))
    return Number(trimmed.replace(decimal === '.' ? /[^\d.+-]/g : /[^\d,+-]/g, '').replace(',', '.'));
  if (decimal === '.') return numberOfName(trimmed);
  // A point is no decimal mark here, and `1250.5` no number.
  if (COMMA_DECIMALS.test(trimmed)) return Number(trimmed.replace(',', '.'));
  return trimmed.includes('.') ? undefined : numberOfName(trimmed);
}

/** `1.250`, which is one and a quarter or twelve hundred and fifty. */
const EITHER = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
const WITH_POINT = /\./;

/** Gathers how the numbers of a column are written, to find out whether points in them divide thousands. */
export class NumberForms {
  /** The first text that is another number where points divide thousands. */
  either: string | undefined;
  /** The first that can only be a number where they do, or where a comma stands before decimals. */
  grouped: string | undefined;
  /** Whether one has decimals behind a point beyond doubt. */
  hasDecimals = false;

  /** A text that was read as a plain number. */
  addPlain(text: string): void {
    const trimmed = text.trim();
    if (EITHER.test(trimmed)) this.either ??= trimmed;
    else if (WITH_POINT.test(trimmed)) this.hasDecimals = true;
  }

  /** A text that is no plain number. */
  addOther(text: string): void {
    if (writtenNumber(text, ',') !== undefined) this.grouped ??= text.trim();
  }
}

/** Why a text is no number, as the end of a sentence. @param key of the recipe that says the decimal mark */
export function whyNoNumber(text: string, key: string): string {
  const [point, comma] = [writtenNumber(text, '.'), writtenNumber(text, ',')];
  if (point !== undefined && comma !== undefined)
    return point === comma
      ? `which is ${point} with its thousands divided: set ${key} to '.' or ',', as numbers have it`
      : `which is ${point} or ${comma}: set ${key} to '.' or to ','`;
  if (comma !== undefined) return `which is ${comma} where a comma stands before decimals: set ${key}: ','`;
  if (point !== undefined) return `which is ${point} where commas divide thousands: set ${key}: '.'`;
  return 'which is no number';
}
