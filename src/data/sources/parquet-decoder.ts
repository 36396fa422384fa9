import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { LimbeckError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { openFileHandle } from '../../node-file-handle.ts';
import type { Fields } from './fields.ts';
import { PARQUET_CODECS } from './node-parquet-codecs.ts';

// Runs in a process of its own (src/data/isolated): one changed byte of a file can make a decoder fill all memory, and then
// the JavaScript engine aborts.

export interface ParquetInput {
  readonly path: string;
  /** What is read: the columns that these name, or all; without it nothing but the description. */
  readonly fields?: Fields | 'all';
  /** Rows that are read at most. */
  readonly rows?: number;
}

/** First what the file says of itself to libraries for data sets, and its columns; then rows, a column at a time. */
export type ParquetPiece =
  | { readonly description: string | undefined; readonly names: readonly string[] }
  | { readonly columns: Readonly<Record<string, readonly unknown[]>>; readonly rows: number };

/** Rows that are handed over at once, at most, and characters after which they are. */
const PIECE = { rows: 2000, characters: 2 ** 20 };

/** The description and rows of a Parquet file, row group by row group. */
export async function* decode({
  path,
  fields,
  rows: most = Number.POSITIVE_INFINITY,
}: ParquetInput): AsyncGenerator<ParquetPiece> {
  const handle = await openFileHandle(path);
  try {
    const buffer = await asyncBuffer(handle);
    const metadata = await readMetadata(buffer, path);
    yield {
      description: metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value,
      names: topLevelColumns(metadata),
    };
    if (!fields) return;
    const columns = fields === 'all' ? topLevelColumns(metadata) : neededColumns(metadata, fields, path);
    requireCodecs(metadata, columns, path);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      if (rowStart >= most) break;
      const rowEnd = Math.min(rowStart + Number(group.num_rows), most);
      const rows = await readGroup(buffer, metadata, columns, rowStart, rowEnd, path);
      yield* piecesOf(rows, columns);
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

function* piecesOf(rows: readonly Record<string, unknown>[], names: string[]): Generator<ParquetPiece> {
  let from = 0;
  let characters = 0;
  for (const [i, row] of rows.entries()) {
    for (const name of names) {
      characters += sizeOf(row[name]);
    }
    if (i + 1 < rows.length && i + 1 - from < PIECE.rows && characters < PIECE.characters) continue;
    const part = rows.slice(from, i + 1);
    yield {
      columns: Object.fromEntries(names.map((name) => [name, part.map((one) => one[name])])),
      rows: part.length,
    };
    from = i + 1;
    characters = 0;
  }
}

/** About how many bytes a value takes: data sets of the hub have images and sounds in records, `{ bytes, path }`. */
function sizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null || depth === 3) return 8;
  let size = 8;
  for (const part of Object.values(value)) size += sizeOf(part, depth + 1);
  return size;
}

async function asyncBuffer(handle: FileHandle): Promise<AsyncBuffer> {
  const buffer: AsyncBuffer = {
    byteLength: (await handle.stat()).size,
    async slice(start, end = buffer.byteLength) {
      if (!(start >= 0 && start <= end && end <= buffer.byteLength))
        throw new Error('it points outside itself');
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
    const { problem, remedy } = await unreadable(buffer);
    throw new LimbeckError('data.wrong-format', problem, { where: path, remedy, cause });
  }
}

/** Why a file has no description that can be read, by the letters that Parquet files begin and end with. */
async function unreadable(buffer: AsyncBuffer): Promise<{ problem: string; remedy: string }> {
  const letters = async (start: number) =>
    Buffer.from(await buffer.slice(start, Math.min(start + 4, buffer.byteLength))).toString('latin1');
  const [begin, end] = [await letters(0), await letters(Math.max(0, buffer.byteLength - 4))];
  if (end === 'PARE') {
    const remedy = 'Write it again without encryption.';
    return { problem: 'this Parquet file is encrypted, which is not read', remedy };
  }
  if (begin !== 'PAR1') {
    const remedy = 'Use the kind of source that fits the file: jsonl, csv, parquet, text-folder.';
    return { problem: 'this is not a Parquet file', remedy };
  }
  const what = end === 'PAR1' ? 'its description is damaged' : 'it is cut short, without its description';
  return {
    problem: `this is not a whole Parquet file: ${what}`,
    remedy: 'Fetch the file, or write it, again.',
  };
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
    return await parquetReadObjects({
      file,
      metadata,
      columns,
      rowStart,
      rowEnd,
      compressors: PARQUET_CODECS,
      // Binary columns as bytes, and texts that are not UTF-8 too: they make a broken row.
      utf8: false,
      parsers: { stringFromBytes: textOrBytes },
    });
  } catch (cause) {
    throw new LimbeckError(
      'data.unreadable',
      `rows cannot be read: ${(cause as Error).message.replace(/^parquet /, '')}`,
      {
        where: `${path}, rows ${rowStart + 1} to ${rowEnd}`,
        remedy: 'Check the file, or write it again with zstd or snappy compression.',
        cause,
      },
    );
  }
}

/** Before a row is read, and with what the person can do. */
function requireCodecs({ row_groups }: FileMetaData, columns: readonly string[], path: string): void {
  for (const group of row_groups) {
    for (const { meta_data } of group.columns) {
      const { codec = 'UNCOMPRESSED', path_in_schema: [name = ''] = [] } = meta_data ?? {};
      if (['UNCOMPRESSED', 'SNAPPY'].includes(codec) || codec in PARQUET_CODECS || !columns.includes(name))
        continue;
      throw new LimbeckError(
        'data.wrong-format',
        `the column '${name}' is compressed with ${codec}, which is not read`,
        {
          where: path,
          remedy: `Write it again with another compression, in Python: pandas.read_parquet('FILE').to_parquet('NEW', compression='zstd').`,
        },
      );
    }
  }
}

function textOrBytes(bytes: Uint8Array | undefined): string | Uint8Array | undefined {
  if (!bytes) return undefined;
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8') : bytes;
}

/** The columns that the options name and the file has; the text must be there. */
function neededColumns(metadata: FileMetaData, fields: Fields, path: string): string[] {
  const top = topLevelColumns(metadata);
  const named = [
    ...fields.inputs.map(({ name }) => name),
    fields.idField,
    fields.groupField,
    fields.splitField,
  ];
  for (const name of named) {
    if (name !== undefined && !top.includes(name)) {
      const meant = nearest(name, top);
      throw new LimbeckError('data.missing-column', `there is no column '${name}'`, {
        where: `${path}: ${top.join(', ')}`,
        remedy: `${meant ? `Did you mean '${meant}'? ` : ''}Set ${fields.inputs.map(({ key }) => key).join(', ')} (idField, groupField, splitField) to names of columns in the file.`,
      });
    }
  }
  const wanted = [...named, ...fields.outputs.map(({ name }) => name)].filter((name) => name !== undefined);
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
