import { z } from 'zod';
import { dirname } from '../../platform/paths.ts';
import type { SourceRow } from '../sample.ts';
import { csvRecords, type RowShape } from '../text-files/csv-records.ts';
import { encodingOption } from '../text-files/encoding.ts';
import { RECIPE_REMEDIES } from '../text-files/file-remedies.ts';
import { type TextLine, textFormat, textLines } from '../text-files/text-lines.ts';
import { readHeader } from './csv-header.ts';
import { type Fields, fieldOptions, rowFromFields, tableFields } from './fields.ts';
import { openFiles, pathOption, type RowFile } from './files.ts';
import { defineSource } from './source.ts';

/** How a CSV file is written. */
const formatOptions = {
  delimiter: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What stands between columns. When absent: a tab for .tsv files and a comma for others, or what the first line shows.',
    ),
  quote: z
    .union([z.literal('none'), z.string().length(1)])
    .default('"')
    .describe(
      'What stands around fields that hold delimiters or line breaks; none where quotes have no meaning.',
    ),
  escape: z
    .string()
    .length(1)
    .optional()
    .describe('What stands before a quote inside a quoted field; the quote itself ("") when absent.'),
  columns: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('The names of the columns, for a file whose first line is not a header.'),
  encoding: encodingOption,
};

const options = z
  .strictObject({ path: pathOption, ...fieldOptions, ...formatOptions })
  .meta({ title: 'CSV', description: 'Comma- or tab-separated values (RFC 4180), with a header line.' });

export const csv = defineSource({
  kind: 'csv',
  options,
  open({ path, ...rest }, context) {
    const options = { ...rest, ...tableFields(rest, context) };
    return openFiles('csv', path, rest, options, context, (file, signal) => readCsv(file, options, signal));
  },
});

export interface CsvOptions extends Fields {
  delimiter?: string | undefined;
  quote?: string | undefined;
  escape?: string | undefined;
  columns?: string[] | undefined;
  encoding?: string | undefined;
}

/** Classes that are remembered, to tell rows within a field by. */
const MOST_CLASSES = 1000;

/**
 * The rows of a CSV file. A row with too few or too many columns, a quote that is never closed, and bytes that are not
 * of the encoding are broken rows; all others are read.
 */
export async function* readCsv(
  file: RowFile,
  options: CsvOptions,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  const text = await textFormat(file.path, 'CSV', RECIPE_REMEDIES, options.encoding);
  for (const note of text.notes) yield { note };
  const quote = options.quote === 'none' ? null : (options.quote ?? '"');
  const quoting = { quote, escape: options.escape ?? quote };
  const lines = () => withoutSeparatorLine(textLines(file.path, text, signal));
  let first: string | undefined;
  let separator: string | undefined;
  for await (const line of lines()) {
    separator = line.separator;
    first = line.text;
    if (first.trim() !== '') break;
  }
  if (first === undefined) return;
  const delimiter = options.delimiter ?? separator;
  const { columns, format, notes } = readHeader(first, file, { ...options, delimiter }, quoting);
  for (const note of notes) yield { note };
  const divided = format.delimiter === '\t' ? 'tabs' : `'${format.delimiter}'`;
  const read = `${file.name}: ${text.encoding}, columns divided by ${divided}`;
  yield { note: { kind: 'format', message: read } };

  const shape: RowShape = {
    columns: columns.length,
    label: options.outputs[0] ? columns.indexOf(options.outputs[0].name) : -1,
    classes: new Set(),
  };
  let isHeader = !options.columns;
  for await (const record of csvRecords(lines(), format, shape, RECIPE_REMEDIES)) {
    const where = `${file.name}:${record.line}`;
    const { fields, problem, excerpt } = record;
    if (isHeader) {
      isHeader = false;
      continue;
    }
    if (problem) {
      yield { broken: { where, problem: problem.message, reason: problem.reason, excerpt } };
      continue;
    }
    if (fields.length !== columns.length) {
      const counted = `${fields.length} columns where the header has ${columns.length}`;
      yield { broken: { where, problem: counted, reason: 'columns', excerpt } };
      continue;
    }
    if (columns.length > 1 && columns.every((name, i) => fields[i]?.trim() === name)) {
      const problem = 'the line holds the names of the columns, and no row';
      yield { broken: { where, problem, reason: 'columns', excerpt } };
      continue;
    }
    const label = fields[shape.label]?.trim();
    if (label && shape.classes.size < MOST_CLASSES) shape.classes.add(label);
    const row = Object.fromEntries(columns.map((name, i) => [name, fields[i]]));
    yield rowFromFields(row, options, { where, excerpt, split: file.split, folder: dirname(file.path) });
  }
}

/** The lines of a file without a first one like `sep=;`, by which spreadsheets tell what divides columns. */
async function* withoutSeparatorLine(
  lines: AsyncIterable<TextLine>,
): AsyncGenerator<TextLine & { separator?: string }> {
  let separator: string | undefined;
  for await (const line of lines) {
    const told = line.number === 1 ? /^"?sep=(.)"?\r?$/i.exec(line.text)?.[1] : undefined;
    if (told) separator = told;
    else yield separator ? { ...line, separator } : line;
  }
}
