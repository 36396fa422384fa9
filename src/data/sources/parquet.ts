import type { FileHandle } from 'node:fs/promises';
import zlib from 'node:zlib';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { openRegularFileAsync } from '../../regular-file.ts';
import type { SourceRow } from '../sample.ts';
import { notOfFormat } from '../text-files/text-lines.ts';
import { parquetClassNames } from './class-names.ts';
import { type Fields, fieldOptions, rowFromFields } from './fields.ts';
import { openFiles, pathOption, type RowFile } from './files.ts';
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

/** In Node from 22.15 on, and not in the types of Node 20. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (input: Uint8Array) => Uint8Array };

/** Decoders beside snappy, which hyparquet has itself. */
const compressors: Record<string, (input: Uint8Array) => Uint8Array> = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ...(zstdDecompressSync && { ZSTD: zstdDecompressSync }),
};

/** The rows of a Parquet file, row group by row group. Class labels of hub data sets are read by their names. */
export async function* readParquet(
  file: RowFile,
  fields: Fields,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  const handle = await openRegularFileAsync(file.path);
  try {
    const buffer = await asyncBuffer(handle);
    const metadata = await readMetadata(buffer, file.path);
    const columns = neededColumns(metadata, fields, file.path);
    const classNames = hubClassNames(metadata, fields.labelField) ?? file.classNames;
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      signal?.throwIfAborted();
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await readGroup(buffer, metadata, columns, rowStart, rowEnd, file.path);
      for (const [i, row] of rows.entries()) {
        const where = `${file.name}:${rowStart + i + 1}`;
        yield rowFromFields(row, fields, { where, split: file.split, classNames });
      }
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

/** The class names that a file's own metadata declares; undefined for none. */
export async function classNamesIn(file: RowFile, fields: Fields): Promise<string[] | undefined> {
  const handle = await openRegularFileAsync(file.path);
  try {
    const metadata = await readMetadata(await asyncBuffer(handle), file.path);
    return hubClassNames(metadata, fields.labelField);
  } finally {
    await handle.close();
  }
}

async function asyncBuffer(handle: FileHandle): Promise<AsyncBuffer> {
  const buffer: AsyncBuffer = {
    byteLength: (await handle.stat()).size,
    async slice(start, end = buffer.byteLength) {
      const bytes = new Uint8Array(end - start);
      await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer;
    },
  };
  return buffer;
}

async function readMetadata(buffer: AsyncBuffer, path: string): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(buffer);
  } catch (cause) {
    throw notOfFormat(path, `this is not a whole Parquet file: ${(cause as Error).message}`, cause);
  }
}

async function readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: string[],
  rowStart: number,
  rowEnd: number,
  path: string,
): Promise<Record<string, unknown>[]> {
  try {
    // Binary columns as bytes: those that are not UTF-8 make a broken row.
    return await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors, utf8: false });
  } catch (cause) {
    throw new LimbeckError('data.unreadable', `rows cannot be read: ${(cause as Error).message}`, {
      where: `${path}, rows ${rowStart + 1} to ${rowEnd}`,
      remedy: 'Check the file, or write it again with snappy or gzip compression.',
      cause,
    });
  }
}

/** The columns that the options name and the file has; the text must be there. */
function neededColumns(metadata: FileMetaData, fields: Fields, path: string): string[] {
  const top = topLevelColumns(metadata);
  const named = [fields.textField, fields.idField, fields.groupField, fields.splitField];
  for (const name of named) {
    if (name !== undefined && !top.includes(name)) {
      throw new LimbeckError('data.missing-column', `there is no column '${name}'`, {
        where: `${path}: ${top.join(', ')}`,
        remedy: 'Set textField (idField, groupField, splitField) to the names of columns in the file.',
      });
    }
  }
  const wanted = [...named, fields.labelField].filter((name) => name !== undefined);
  return [...new Set(wanted)].filter((name) => top.includes(name));
}

/** The schema is the tree in depth-first order; the first element is its root. */
function topLevelColumns({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  let at = 1;
  const skip = (): void => {
    const children = schema[at++]?.num_children ?? 0;
    for (let i = 0; i < children; i++) skip();
  };
  while (at < schema.length) {
    names.push((schema[at] as { name: string }).name);
    skip();
  }
  return names;
}

/** Data sets on the hub store class labels as numbers, and their names in the file's metadata. */
function hubClassNames(metadata: FileMetaData, labelField: string): string[] | undefined {
  const entry = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface');
  return parquetClassNames(entry?.value, labelField);
}
