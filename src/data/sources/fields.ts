import { z } from 'zod';
import { scalarText, shownValue, textOfBytes } from '../labels/label-value.ts';
import type { BrokenReason, SourceRow, SplitName } from '../sample.ts';
import type { SourceContext, WantedColumns } from './source.ts';

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

/** The options of a table in a recipe. */
export type FieldOptions = z.output<z.ZodObject<typeof fieldOptions>>;

/** The columns that are read of a table. */
export interface Fields extends WantedColumns {
  readonly idField?: string | undefined;
  readonly groupField?: string | undefined;
  readonly splitField?: string | undefined;
}

/** The columns that the recipe's inputs and outputs name or, in its short form, the source. */
export function tableFields(options: FieldOptions, { columns }: Pick<SourceContext, 'columns'>): Fields {
  const { idField, groupField, splitField } = options;
  return {
    inputs: columns?.inputs ?? [{ name: options.textField, key: 'data.source.textField' }],
    outputs: columns?.outputs ?? [{ name: options.labelField, key: 'data.source.labelField' }],
    idField,
    groupField,
    splitField,
  };
}

/** What is known of the file that a row comes from. */
export interface RowOrigin {
  /** File and row, for people: `train.jsonl:12`. */
  where: string;
  /** How the row begins, for people. */
  excerpt?: string;
  /** The split that the whole file belongs to. */
  split?: SplitName;
  /** The absolute folder that relative paths in the row are in. */
  folder?: string;
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

/** Makes a sample of a row of named columns; its values are looked at by the inputs and outputs that want them. */
export function rowFromFields(row: Record<string, unknown>, fields: Fields, origin: RowOrigin): SourceRow {
  const { where, excerpt, folder } = origin;
  const broken = (reason: BrokenReason, problem: string): SourceRow => ({
    broken: { where, problem, reason, ...(excerpt && { excerpt }) },
  });
  let { split } = origin;
  if (fields.splitField) {
    const word = textOfBytes(row[fields.splitField]);
    split = typeof word === 'string' ? splitNamed(word) : undefined;
    if (!split) {
      return broken('split', `'${fields.splitField}' is ${shownValue(word)}, not train, validation or test`);
    }
  }
  const id = fields.idField && scalarText(textOfBytes(row[fields.idField]));
  if (fields.idField && id === undefined) {
    return broken('id', `'${fields.idField}' is ${shownValue(row[fields.idField])}, no id`);
  }
  const group = fields.groupField && scalarText(textOfBytes(row[fields.groupField]));
  if (fields.groupField && group === undefined) {
    return broken('id', `'${fields.groupField}' is ${shownValue(row[fields.groupField])}, no group`);
  }
  return {
    sample: {
      where,
      ...(id !== undefined && { id }),
      ...(group !== undefined && { group }),
      ...(split && { split }),
      ...(excerpt && { excerpt }),
      ...(folder && { folder }),
      values: row,
    },
  };
}
