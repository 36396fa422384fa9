import { z } from 'zod';
import { dirname } from '../../platform/paths.ts';
import type { SourceRow } from '../sample.ts';
import { encodingOption } from '../text-files/encoding.ts';
import { RECIPE_REMEDIES } from '../text-files/file-remedies.ts';
import { parseJsonLine } from '../text-files/json-line.ts';
import { notOfFormat, textFormat, textLines } from '../text-files/text-lines.ts';
import { missingLabel } from './csv-header.ts';
import { type Fields, fieldOptions, rowFromFields, tableFields } from './fields.ts';
import { openFiles, pathOption, type RowFile } from './files.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({ path: pathOption, ...fieldOptions, encoding: encodingOption })
  .meta({ title: 'JSON lines', description: 'A file with a JSON object on each line.' });

export const jsonl = defineSource({
  kind: 'jsonl',
  options,
  open({ path, ...rest }, context) {
    const fields = { ...tableFields(rest, context), encoding: rest.encoding };
    return openFiles('jsonl', path, rest, fields, context, (file, signal) => readJsonl(file, fields, signal));
  },
});

const EXCERPT = 120;

/** The rows of a file of JSON objects, one a line. A line that is none is a broken row. */
export async function* readJsonl(
  file: RowFile,
  options: Fields & { encoding?: string | undefined },
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  const format = await textFormat(file.path, 'JSON lines', RECIPE_REMEDIES, options.encoding);
  for (const note of format.notes) yield { note };
  yield { note: { kind: 'format', message: `${file.name}: ${format.encoding}` } };
  const { inputs, outputs, idField, groupField, splitField } = options;
  const needed = [...[...inputs, ...outputs].map(({ name }) => name), idField, groupField, splitField].filter(
    (name) => name !== undefined,
  );
  let firstColumns: string[] | undefined;
  const missing = new Set(outputs.map(({ name }) => name));
  for await (const { number, text, problem } of textLines(file.path, format, signal)) {
    const where = `${file.name}:${number}`;
    const excerpt = text.slice(0, EXCERPT);
    if (problem) {
      yield { broken: { where, problem: problem.message, reason: problem.reason, excerpt } };
      continue;
    }
    const json = text.trim();
    if (json === '') continue;
    if (number === 1 && json.startsWith('[')) {
      throw notOfFormat(
        file.path,
        'this is a JSON list, not a JSON object on each line',
        "Write each object on a line of its own; with jq: jq -c '.[]' FILE > FILE.jsonl.",
      );
    }
    const parsed = parseJsonLine(json, needed);
    if ('problem' in parsed) {
      yield { broken: { where, excerpt, ...parsed } };
      continue;
    }
    firstColumns ??= Object.keys(parsed.row);
    for (const name of missing) if (name in parsed.row) missing.delete(name);
    const { split } = file;
    yield rowFromFields(parsed.row, options, { where, excerpt, split, folder: dirname(file.path) });
  }
  for (const name of firstColumns ? missing : []) {
    const note = missingLabel(firstColumns as string[], file.name, name);
    if (note) yield { note };
  }
}
