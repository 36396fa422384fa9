import { LimbeckError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import type { SourceNote } from '../sample.ts';
import { type CsvFormat, fieldsOfLine, plainFields } from '../text-files/csv-record.ts';
import type { Fields } from './fields.ts';
import type { RowFile } from './files.ts';

/** What may stand between columns, by how common it is. */
const DELIMITERS = [',', '\t', ';', '|'];

/** What is told of the columns of a file, and how its lines are divided. */
export interface CsvColumns {
  readonly columns: readonly string[];
  readonly format: CsvFormat;
  readonly notes: readonly SourceNote[];
}

/** The names of the columns that a recipe asks for and cannot do without. */
export function requiredColumns(fields: Fields): string[] {
  return [
    ...fields.inputs.map(({ name }) => name),
    fields.idField,
    fields.groupField,
    fields.splitField,
  ].filter((name) => name !== undefined);
}

/**
 * Reads the first line of a CSV file: the names of its columns, unless the recipe gives them, and what divides them where
 * the recipe does not say it.
 *
 * @throws LimbeckError `data.missing-column`, `data.duplicate-column`, `data.wrong-delimiter`
 */
export function readHeader(
  line: string,
  file: RowFile,
  options: Fields & { delimiter?: string | undefined; columns?: string[] },
  quoting: Omit<CsvFormat, 'delimiter'>,
): CsvColumns {
  const usual = /\.(tsv|tab)$/i.test(file.path) ? '\t' : ',';
  const given = options.delimiter ?? usual;
  const namesBy = (delimiter: string) =>
    (fieldsOfLine(line, { ...quoting, delimiter }) ?? plainFields(line, delimiter)).map((name) =>
      name.trim(),
    );
  const fits = (delimiter: string) =>
    options.columns
      ? namesBy(delimiter).length === options.columns.length
      : requiredColumns(options).every((name) => namesBy(delimiter).includes(name));
  const better = fits(given) ? undefined : DELIMITERS.find((one) => one !== given && fits(one));
  if (better && options.delimiter !== undefined) {
    throw new LimbeckError(
      'data.wrong-delimiter',
      `columns are divided by ${shown(better)}, not by ${shown(given)}`,
      {
        where: `${file.path}, line 1: ${line.slice(0, 200)}`,
        remedy: `Set delimiter: ${JSON.stringify(better)}, or leave it out.`,
      },
    );
  }
  const delimiter = better ?? given;
  const notes: SourceNote[] = [];
  if (better) {
    const message = `${file.name}: columns are divided by ${shown(better)}, as its first line shows; not by ${shown(given)}`;
    notes.push({ kind: 'delimiter', message });
  }
  const columns = options.columns ?? namesBy(delimiter);
  checkColumns(columns, file, options, line);
  notes.push(...columnNotes(columns, file, options));
  return { columns, format: { ...quoting, delimiter }, notes };
}

/** The key of the recipe that asks for a column. */
function keyOf(name: string, options: Fields): string {
  const own = (['idField', 'groupField', 'splitField'] as const).find((key) => options[key] === name);
  const input = options.inputs.find((one) => one.name === name);
  return input?.key ?? `data.source.${own ?? 'textField'}`;
}

function checkColumns(
  columns: readonly string[],
  file: RowFile,
  options: Fields & { columns?: string[] },
  line: string,
): void {
  const where = options.columns
    ? `data.source.columns: ${columns.join(', ').slice(0, 200)}`
    : `${file.path}, line 1: ${columns.join(', ').slice(0, 200)}`;
  for (const name of requiredColumns(options)) {
    if (columns.includes(name)) continue;
    const meant = nearest(name, columns);
    throw new LimbeckError('data.missing-column', `there is no column '${name}'`, {
      where,
      remedy: `${meant ? `Did you mean '${meant}'? ` : ''}Set ${keyOf(name, options)} to one of the file's columns, or data.source.columns to their names if the first line is not a header; \`limbeck init --data FILE\` proposes them.`,
    });
  }
  for (const name of [...requiredColumns(options), ...options.outputs.map((output) => output.name)]) {
    if (columns.filter((one) => one === name).length < 2) continue;
    throw new LimbeckError('data.duplicate-column', `there are several columns '${name}'`, {
      where,
      remedy: options.columns
        ? 'Give every column a name of its own in `columns`.'
        : `Rename one of them; or remove the first line and give \`columns\`: ${line.slice(0, 100)}`,
    });
  }
}

function columnNotes(columns: readonly string[], file: RowFile, { outputs }: Fields): SourceNote[] {
  const notes: SourceNote[] = [];
  const twice = [...new Set(columns.filter((name, i) => columns.indexOf(name) !== i))];
  if (twice.length > 0) {
    const names = twice.map((name) => `'${name}'`).join(', ');
    notes.push({ kind: 'columns', message: `${file.name}: several columns are called ${names}` });
  }
  const missing = outputs.map(({ name }) => missingLabel(columns, file.name, name));
  return [...notes, ...missing.filter((note) => note !== undefined)];
}

/** What is to be told of a table that has no column of classes: its rows have no label. */
export function missingLabel(
  columns: readonly string[],
  file: string,
  labelField: string,
): SourceNote | undefined {
  if (columns.includes(labelField)) return undefined;
  const meant = nearest(labelField, columns);
  const hint = meant ? `did you mean '${meant}'?` : `its columns are ${columns.join(', ').slice(0, 200)}`;
  return {
    kind: 'columns',
    message: `${file}: there is no column '${labelField}', so its rows have no label; ${hint}`,
  };
}

function shown(delimiter: string): string {
  return delimiter === '\t' ? 'tabs' : `'${delimiter}'`;
}
