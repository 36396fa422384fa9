import { z } from 'zod';
import { stat } from '../../platform/async-files.ts';
import { decodeIsolated, decoderBeside } from '../isolated/decode-isolated.ts';
import { limitsFor } from '../isolated/limits.ts';
import type { SourceRow } from '../sample.ts';
import { parquetClassNames } from './class-names.ts';
import { missingLabel } from './csv-header.ts';
import { type Fields, fieldOptions, rowFromFields } from './fields.ts';
import { openFiles, pathOption, type RowFile } from './files.ts';
import type { ParquetInput, ParquetPiece } from './parquet-decoder.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({ path: pathOption, ...fieldOptions })
  .meta({ title: 'Parquet', description: 'Apache Parquet files; a row group at a time is in memory.' });

export const parquet = defineSource({
  kind: 'parquet',
  options,
  open: ({ path, ...fields }, context) =>
    openFiles(
      'parquet',
      path,
      fields,
      context,
      (file, signal) => readParquet(file, fields, signal),
      (file) => classNamesIn(file, fields),
    ),
});

/** The rows of a Parquet file, row group by row group. Class labels of hub data sets are read by their names. */
export async function* readParquet(
  file: RowFile,
  fields: Fields,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  let { classNames } = file;
  let done = 0;
  for await (const piece of await decodeParquet(file, { fields }, signal)) {
    if ('description' in piece) {
      // Data sets on the hub store class labels as numbers, and their names in the file's metadata.
      classNames = parquetClassNames(piece.description, fields.labelField) ?? classNames;
      const note = missingLabel(piece.names, file.name, fields.labelField);
      if (note) yield { note };
      continue;
    }
    const { columns, rows } = piece;
    const names = Object.keys(columns);
    for (let i = 0; i < rows; i++) {
      const row = Object.fromEntries(names.map((name) => [name, columns[name]?.[i]]));
      yield rowFromFields(row, fields, { where: `${file.name}:${++done}`, split: file.split, classNames });
    }
  }
}

/** The first rows of a file with all their columns. */
export async function* readParquetRecords(
  path: string,
  most: number,
): AsyncGenerator<Record<string, unknown>> {
  for await (const piece of await decodeParquet({ path }, { fields: 'all', rows: most })) {
    if ('description' in piece) continue;
    const names = Object.keys(piece.columns);
    for (let i = 0; i < piece.rows; i++)
      yield Object.fromEntries(names.map((name) => [name, piece.columns[name]?.[i]]));
  }
}

/** The class names that a file's own metadata declares; undefined for none. */
export async function classNamesIn(file: RowFile, fields: Fields): Promise<string[] | undefined> {
  let names: string[] | undefined;
  for await (const piece of await decodeParquet(file)) {
    if ('description' in piece) names = parquetClassNames(piece.description, fields.labelField);
  }
  return names;
}

async function decodeParquet(
  { path }: Pick<RowFile, 'path'>,
  wanted: Pick<ParquetInput, 'fields' | 'rows'> = {},
  signal?: AbortSignal,
): Promise<AsyncIterable<ParquetPiece>> {
  const { size } = await stat(path);
  return decodeIsolated<ParquetInput, ParquetPiece>({
    decoder: decoderBeside(import.meta.url, 'parquet-decoder'),
    input: { path, ...wanted },
    limits: limitsFor(size),
    file: path,
    signal,
  });
}
