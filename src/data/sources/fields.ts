import { z } from 'zod';
import { numberOfName } from '../class-order.ts';
import type { SourceRow, SplitName } from '../sample.ts';

/** Which columns of a table hold what. */
export const fieldOptions = {
  textField: z.string().default('text').describe('The column with the text.'),
  labelField: z
    .string()
    .default('label')
    .describe('The column with the class: a text, a number or a boolean. A row without one has no label.'),
  idField: z.string().optional().describe('A column with a stable, unique id; file and row when absent.'),
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
  /** File and row, for people and as the id of last resort: `train.jsonl:12`. */
  where: string;
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
  const broken = (problem: string): SourceRow => ({ broken: { where: origin.where, problem } });
  const text = row[fields.textField];
  if (text === undefined) {
    return broken(
      `there is no '${fields.textField}' (the row has: ${Object.keys(row).join(', ') || 'nothing'})`,
    );
  }
  if (typeof text !== 'string') {
    return broken(`'${fields.textField}' is ${text === null ? 'null' : `a ${typeof text}`}, not text`);
  }
  if (text.trim() === '') return broken(`'${fields.textField}' is empty`);

  const value = row[fields.labelField];
  if (Array.isArray(value)) {
    const problem = `'${fields.labelField}' is a list (${shown(value)}); a text can have one class`;
    return { broken: { where: origin.where, problem, labelList: true } };
  }
  const { label, noLabel, problem } = readLabel(value, origin.classNames);
  if (problem) return broken(`'${fields.labelField}' is ${shown(value)}, ${problem}`);
  let split = origin.split;
  if (fields.splitField) {
    const word = row[fields.splitField];
    split = typeof word === 'string' ? splitNamed(word) : undefined;
    if (!split) return broken(`'${fields.splitField}' is ${shown(word)}, not train, validation or test`);
  }
  const id = fields.idField ? scalarText(row[fields.idField]) : origin.where;
  if (id === undefined)
    return broken(`'${fields.idField}' is ${shown(row[fields.idField as string])}, no id`);
  const group = fields.groupField ? scalarText(row[fields.groupField]) : id;
  if (group === undefined) {
    return broken(`'${fields.groupField}' is ${shown(row[fields.groupField as string])}, no group`);
  }
  const labelling = { ...(label !== undefined && { label }), ...(noLabel !== undefined && { noLabel }) };
  return { sample: { id, group, text, ...labelling, ...(split && { split }) } };
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

function shown(value: unknown): string {
  const plain = (_: string, part: unknown) => (typeof part === 'bigint' ? Number(part) : part);
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value, plain) ?? 'missing');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
