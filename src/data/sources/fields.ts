import { z } from 'zod';
import { isUtf8, textOf } from '../../platform/bytes.ts';
import { numberOfName } from '../class-name.ts';
import type { BrokenReason, SourceRow, SplitName } from '../sample.ts';

/** Which columns of a table hold what. */
export const fieldOptions = {
  textField: z.string().default('text').describe('The column with the text.'),
  labelField: z
    .string()
    .default('label')
    .describe('The column with the class: a text, a number or a boolean. A row without one has no label.'),
  idField: z
    .string()
    .optional()
    .describe('A column with a stable, unique id; the text itself identifies a sample when absent.'),
  groupField: z
    .string()
    .optional()
    .describe('Rows that are equal in this column never land in different splits; the id when absent.'),
  splitField: z
    .string()
    .optional()
    .describe('A column that says train, validation or test, where the data set is split already.'),
};

export type Fields = z.output<z.ZodObject<typeof fieldOptions>>;

/** What is known of the file that a row comes from. */
export interface RowOrigin {
  /** File and row, for people: `train.jsonl:12`. */
  where: string;
  /** How the row begins, for people. */
  excerpt?: string;
  /** The split that the whole file belongs to. */
  split?: SplitName;
  /** Class names that the data set declares; a label column with numbers holds positions in this list. */
  classNames?: readonly string[];
}

const SPLIT_WORDS: Record<string, SplitName> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  development: 'validation',
  test: 'test',
  testing: 'test',
  eval: 'test',
};

/** The split that a word names (`dev` is validation), undefined for other words. */
export function splitNamed(word: string): SplitName | undefined {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(SPLIT_WORDS, key) ? SPLIT_WORDS[key] : undefined;
}

/** Makes a sample of a row of named columns. */
export function rowFromFields(row: Record<string, unknown>, fields: Fields, origin: RowOrigin): SourceRow {
  const { where, excerpt } = origin;
  const broken = (reason: BrokenReason, problem: string): SourceRow => ({
    broken: { where, problem, reason, ...(excerpt && { excerpt }) },
  });
  const text = decoded(row[fields.textField]);
  if (text === undefined) {
    return broken(
      'text',
      `there is no '${fields.textField}' (the row has: ${Object.keys(row).join(', ').slice(0, 200) || 'nothing'})`,
    );
  }
  if (text === NOT_UTF8) return broken('encoding', `'${fields.textField}' has bytes that are not UTF-8`);
  if (typeof text !== 'string') {
    return broken(
      'text',
      `'${fields.textField}' is ${text === null ? 'null' : Array.isArray(text) ? 'a list' : `${typeof text === 'object' ? 'an' : 'a'} ${typeof text}`}, not text`,
    );
  }
  if (text.trim() === '') return broken('text', `'${fields.textField}' is empty`);

  const value = decoded(row[fields.labelField]);
  if (value === NOT_UTF8) return broken('encoding', `'${fields.labelField}' has bytes that are not UTF-8`);
  if (Array.isArray(value)) {
    const problem = `'${fields.labelField}' is a list (${shown(value)}); a text can have one class`;
    return { broken: { where, problem, reason: 'label', labelList: true, ...(excerpt && { excerpt }) } };
  }
  const { label, noLabel, problem } = readLabel(value, origin.classNames);
  if (problem) return broken('label', `'${fields.labelField}' is ${shown(value)}, ${problem}`);
  let split = origin.split;
  if (fields.splitField) {
    const word = decoded(row[fields.splitField]);
    split = typeof word === 'string' ? splitNamed(word) : undefined;
    if (!split) {
      return broken('split', `'${fields.splitField}' is ${shown(word)}, not train, validation or test`);
    }
  }
  const id = fields.idField && scalarText(decoded(row[fields.idField]));
  if (fields.idField && id === undefined) {
    return broken('id', `'${fields.idField}' is ${shown(row[fields.idField])}, no id`);
  }
  const group = fields.groupField && scalarText(decoded(row[fields.groupField]));
  if (fields.groupField && group === undefined) {
    return broken('id', `'${fields.groupField}' is ${shown(row[fields.groupField])}, no group`);
  }
  return {
    sample: {
      where,
      text,
      ...(id !== undefined && { id }),
      ...(group !== undefined && { group }),
      ...(label !== undefined && { label }),
      ...(noLabel !== undefined && { noLabel }),
      ...(split && { split }),
    },
  };
}

/** What no encoding can store: two labels, or two ids, would be one. */
const HALF_PAIR = /\p{Surrogate}/u;

const NOT_UTF8 = Symbol('bytes that are not UTF-8');

/** Binary columns as text. */
function decoded(value: unknown): unknown {
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

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

/** A value as a person reads it, shortly; values of any depth, and integers that JSON does not have. */
function shown(value: unknown): string {
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
