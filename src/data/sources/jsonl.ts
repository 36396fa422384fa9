import { z } from 'zod';
import type { SourceRow } from '../sample.ts';
import { encodingOption } from '../text-files/encoding.ts';
import { parseJsonLine } from '../text-files/json-line.ts';
import { notOfFormat, textFormat, textLines } from '../text-files/text-lines.ts';
import { missingLabel } from './csv-header.ts';
import { type Fields, fieldOptions, rowFromFields } from './fields.ts';
import { openFiles, pathOption, type RowFile } from './files.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({ path: pathOption, ...fieldOptions, encoding: encodingOption })
  .meta({ title: 'JSON lines', description: 'A file with a JSON object on each line.' });

export const jsonl = defineSource({
  kind: 'jsonl',
  options,
  open: ({ path, ...rest }, context) =>
    openFiles('jsonl', path, rest, context, (file, signal) => readJsonl(file, rest, signal)),
});

const EXCERPT = 120;

/** The rows of a file of JSON objects, one a line. A line that is none is a broken row. */
export async function* readJsonl(
  file: RowFile,
  options: Fields & { encoding?: string | undefined },
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  const format = await textFormat(file.path, 'JSON lines', options.encoding);
  for (const note of format.notes) yield { note };
  yield { note: { kind: 'format', message: `${file.name}: ${format.encoding}` } };
  const { textField, labelField, idField, groupField, splitField } = options;
  const needed = [textField, labelField, idField, groupField, splitField].filter(
    (name) => name !== undefined,
  );
  let firstColumns: string[] | undefined;
  let hasLabels = false;
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
    hasLabels ||= labelField in parsed.row;
    const { split, classNames } = file;
    yield rowFromFields(parsed.row, options, { where, excerpt, split, classNames });
  }
  const note = firstColumns && !hasLabels && missingLabel(firstColumns, file.name, labelField);
  if (note) yield { note };
}
