import { existsSync, realpathSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type FirstRows, firstRows } from './first-rows.ts';
import { folderTexts } from './folder-texts.ts';
import { type ColumnChoice, type ColumnSurvey, chooseColumns, surveyColumns } from './survey-columns.ts';
import { type FileModality, type FileSizes, filesOfFolder, measureFiles } from './survey-files.ts';

const ROWS = 2000;

/** What the first rows of a person's data show: how they are read, and which columns hold what. */
export interface FileSurvey extends Pick<FirstRows, 'kind' | 'options' | 'more' | 'notes'> {
  /** Rows that were looked at. */
  readonly rows: number;
  readonly columns: readonly ColumnSurvey[];
  readonly choice: ColumnChoice;
  /** Texts of the chosen column, or of the folder's files, to measure their lengths. */
  readonly texts: readonly string[];
  /** Images or audio files of the chosen column, or of the folder. */
  readonly files?: FileSizes & { readonly modality: FileModality };
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
  const files = await filesOf(path, found.kind, rows, choice);
  return { ...found, rows: rows.length, columns, choice, texts, ...(files && { files }) };
}

/** Some of the files that a folder holds or a column names, measured. */
async function filesOf(
  path: string,
  kind: FirstRows['kind'],
  rows: readonly Readonly<Record<string, unknown>>[],
  { files }: ColumnChoice,
): Promise<FileSurvey['files']> {
  if (kind === 'image-folder' || kind === 'audio-folder') {
    const found = await filesOfFolder(path);
    return found && { modality: found.modality, ...(await measureFiles(found.paths, found.modality)) };
  }
  if (!files) return undefined;
  const folder = dirname(path);
  // As a run would read them: what leads out of the folder is not looked at.
  const paths = rows
    .map((row) => resolve(folder, String(row[files.field])))
    .filter((one) => !relative(folder, one).startsWith('..') && existsSync(one) && isWithin(one, folder));
  return { modality: files.modality, ...(await measureFiles(paths, files.modality)) };
}

function isWithin(path: string, folder: string): boolean {
  return !relative(realpathSync(folder), realpathSync(path)).startsWith('..');
}

/** The texts of a column. */
function textsOf(rows: readonly Readonly<Record<string, unknown>>[], name: string | undefined): string[] {
  if (name === undefined) return [];
  return rows.flatMap((row) => (typeof row[name] === 'string' ? [row[name]] : []));
}
