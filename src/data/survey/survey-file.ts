import { type FirstRows, firstRows } from './first-rows.ts';
import { folderTexts } from './folder-texts.ts';
import { type ColumnChoice, type ColumnSurvey, chooseColumns, surveyColumns } from './survey-columns.ts';

const ROWS = 2000;

/** What the first rows of a person's data show: how they are read, and which columns hold what. */
export interface FileSurvey extends Pick<FirstRows, 'kind' | 'options' | 'more' | 'notes'> {
  /** Rows that were looked at. */
  readonly rows: number;
  readonly columns: readonly ColumnSurvey[];
  readonly choice: ColumnChoice;
  /** Texts of the chosen column, or of the folder's files, to measure their lengths. */
  readonly texts: readonly string[];
}

/**
 * Looks at the first 2,000 rows of a file of data (or at a folder), so that a recipe for it can be proposed.
 *
 * @throws LimbeckError `data.missing`, `data.wrong-format`
 */
export async function surveyFile(path: string): Promise<FileSurvey> {
  const { rows, ...found } = await firstRows(path, ROWS);
  const columns = surveyColumns(rows);
  const choice = chooseColumns(columns, rows.length);
  const texts =
    found.kind === 'text-folder'
      ? await folderTexts(path, String(found.options.extension ?? '.txt'))
      : textsOf(rows, choice.textField);
  return { ...found, rows: rows.length, columns, choice, texts };
}

/** The texts of a column. */
function textsOf(rows: readonly Readonly<Record<string, unknown>>[], name: string | undefined): string[] {
  if (name === undefined) return [];
  return rows.flatMap((row) => (typeof row[name] === 'string' ? [row[name]] : []));
}
