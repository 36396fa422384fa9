import { createInterface } from 'node:readline';
import { z } from 'zod';
import { streamRegularFile } from '../../regular-file.ts';
import type { SourceRow } from '../sample.ts';
import { type Fields, fieldOptions, rowFromFields } from './fields.ts';
import { checkIsText, notOfFormat, openFiles, pathOption, type RowFile } from './files.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({ path: pathOption, ...fieldOptions })
  .meta({ title: 'JSON lines', description: 'A file with a JSON object on each line.' });

export const jsonl = defineSource({
  kind: 'jsonl',
  options,
  open: ({ path, ...fields }, context) =>
    openFiles('jsonl', path, fields, context, (file, signal) => readJsonl(file, fields, signal)),
});

/** The rows of a file of JSON objects, one a line. A line that is none is a broken row. */
export async function* readJsonl(
  file: RowFile,
  fields: Fields,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  await checkIsText(file.path, 'JSON lines');
  const input = streamRegularFile(file.path, { signal });
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    const json = line === 1 ? text.replace(/^\ufeff/, '') : text;
    if (json.trim() === '') continue;
    if (line === 1 && json.trim().startsWith('[')) {
      throw notOfFormat(file.path, 'this is one JSON list, not a JSON object on each line');
    }
    const where = `${file.name}:${line}`;
    let row: unknown;
    try {
      row = JSON.parse(json);
    } catch (error) {
      yield { broken: { where, problem: `not JSON: ${(error as Error).message}` } };
      continue;
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      yield { broken: { where, problem: 'not a JSON object' } };
      continue;
    }
    yield rowFromFields(row as Record<string, unknown>, fields, {
      where,
      split: file.split,
      classNames: file.classNames,
    });
  }
}
