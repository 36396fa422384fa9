import { z } from 'zod';
import { stat } from '../../platform/async-files.ts';
import { dirname } from '../../platform/paths.ts';
import { decodeIsolated, decoderBeside } from '../isolated/decode-isolated.ts';
import { limitsFor } from '../isolated/limits.ts';
import type { SourceRow } from '../sample.ts';
import { parquetClassNames } from './class-names.ts';
import { missingLabel } from './csv-header.ts';
import { type Fields, fieldOptions, rowFromFields, tableFields } from './fields.ts';
import { openFiles, pathOption, type RowFile } from './files.ts';
import type { ParquetInput, ParquetPiece } from './parquet-decoder.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({ path: pathOption, ...fieldOptions })
  .meta({ title: 'Parquet', description: 'Apache Parquet files; a row group at a time is in memory.' });

export const parquet = defineSource({
  kind: 'parquet',
  options,
  open({ path, ...rest }, context) {
    const fields = tableFields(rest, context);
    const read = (file: RowFile, signal?: AbortSignal) => readParquet(file, fields, signal);
    return openFiles('parquet', path, rest, fields, context, read, classNamesIn);
  },
});

/** The rows of a Parquet file, row group by row group. */
export async function* readParquet(
  file: RowFile,
  fields: Fields,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  let done = 0;
  const folder = dirname(file.path);
  for await (const piece of await decodeParquet(file, { fields }, signal)) {
    if ('description' in piece) {
      for (const { name } of fields.outputs) {
        const note = missingLabel(piece.names, file.name, name);
        if (note) yield { note };
      }
      continue;
    }
    const { columns, rows } = piece;
    const names = Object.keys(columns);
    for (let i = 0; i < rows; i++) {
      const row = Object.fromEntries(names.map((name) => [name, columns[name]?.[i]]));
      yield rowFromFields(row, fields, { where: `${file.name}:${++done}`, split: file.split, folder });
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

/** The class names that a file's own metadata declares for a column (data sets on the hub store numbers); undefined for none. */
export async function classNamesIn(file: RowFile, column: string): Promise<string[] | undefined> {
  let names: string[] | undefined;
  for await (const piece of await decodeParquet(file)) {
    if ('description' in piece) names = parquetClassNames(piece.description, column);
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
