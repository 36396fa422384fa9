import { type CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { streamRegularFile } from '../../regular-file.ts';
import type { SourceRow } from '../sample.ts';
import { type Fields, fieldOptions, rowFromFields } from './fields.ts';
import { checkIsText, openFiles, pathOption, type RowFile } from './files.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({
    path: pathOption,
    ...fieldOptions,
    delimiter: z
      .string()
      .min(1)
      .optional()
      .describe('What stands between columns; a tab for .tsv files and a comma for others when absent.'),
    columns: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('The names of the columns, for a file whose first line is not a header.'),
  })
  .meta({ title: 'CSV', description: 'Comma- or tab-separated values (RFC 4180), with a header line.' });

export const csv = defineSource({
  kind: 'csv',
  options,
  open: ({ path, ...rest }, context) =>
    openFiles('csv', path, rest, context, (file, signal) => readCsv(file, rest, signal)),
});

export interface CsvOptions extends Fields {
  delimiter?: string | undefined;
  columns?: string[] | undefined;
}

/** The rows of a CSV file. A row with too few or too many columns, or a quote that is never closed, is a broken row. */
export async function* readCsv(
  file: RowFile,
  options: CsvOptions,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  await checkIsText(file.path, 'CSV');
  const stray: CsvError[] = [];
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? (/\.tsv$/i.test(file.path) ? '\t' : ','),
    info: true,
    relax_column_count: true,
    // A quote inside a field is taken as it stands: `the "big" one`.
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error) stray.push(error);
      return undefined;
    },
  });
  const input = streamRegularFile(file.path, { signal });
  input.once('error', (error) => parser.destroy(error));
  input.pipe(parser);
  const brokenQuotes = function* (): Generator<SourceRow> {
    for (const error of stray.splice(0)) {
      yield { broken: { where: `${file.name}:${String(error.lines)}`, problem: error.message } };
    }
  };

  let columns = options.columns;
  for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
    yield* brokenQuotes();
    // `info.lines` is where the record ends; texts may run over several lines.
    const lines = record.reduce((sum, value) => sum + value.split('\n').length - 1, 0);
    const where = `${file.name}:${info.lines - lines}`;
    if (!columns) {
      columns = checkHeader(record, options, file);
      continue;
    }
    if (record.length !== columns.length) {
      const problem = `${record.length} columns where the header has ${columns.length}`;
      yield { broken: { where, problem } };
      continue;
    }
    const row = Object.fromEntries(columns.map((name, i) => [name, record[i]]));
    yield rowFromFields(row, options, { where, split: file.split, classNames: file.classNames });
  }
  yield* brokenQuotes();
}

interface CsvRecord {
  record: string[];
  info: { lines: number };
}

function checkHeader(header: string[], options: CsvOptions, file: RowFile): string[] {
  const columns = header.map((name) => name.trim());
  if (!columns.includes(options.textField)) {
    throw new LimbeckError('data.missing-column', `there is no column '${options.textField}'`, {
      where: `${file.path}, line 1: ${columns.join(', ').slice(0, 200)}`,
      remedy: 'Set textField to the name of the column with the text, or `columns` if there is no header.',
    });
  }
  return columns;
}
