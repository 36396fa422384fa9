import { LimbeckError } from '../../errors.ts';
import { keysInOutputs } from '../output-keys.ts';
import type { DatasetInput, DatasetOutput } from '../prepared/dataset-parts.ts';
import type { BrokenRows } from '../sample.ts';
import { brokenSummary } from './broken-rows.ts';

/** Fewer rows than this may well be broken for the most part, and be what there is. */
const FEW_ROWS = 10;

/** What rows were read for. */
interface ReadParts {
  /** The source, for errors. */
  readonly title: string;
  readonly inputs: readonly Pick<DatasetInput, 'key' | 'modality'>[];
  readonly outputs: readonly Pick<DatasetOutput, 'name' | 'keys'>[];
}

/** Throws where nothing can be read, or where more rows are broken than are read: then the file is not what it is taken for. */
export function requireRows(
  rows: number,
  samples: number,
  broken: BrokenRows,
  { title, inputs, outputs }: ReadParts,
): void {
  const first = broken.first[0];
  const where = first ? `${title}, ${first.where}` : title;
  if (samples === 0) {
    throw new LimbeckError(
      'data.empty',
      rows === 0 ? 'the data set is empty' : `none of the ${rows} rows can be used: ${first?.problem}`,
      {
        where,
        remedy:
          rows === 0
            ? 'Set data.source to data with rows; a header alone is none, nor is a folder without files of its kind.'
            : remedyOf(broken, inputs, outputs),
      },
    );
  }
  // Whoever lists some of the classes leaves the rows of others out, and may well mean it.
  const unread = broken.count - (broken.reasons['unknown-label'] ?? 0);
  if (rows < FEW_ROWS || 2 * unread <= rows) return;
  throw new LimbeckError(
    'data.too-many-broken',
    `${unread} of ${rows} rows are broken: ${brokenSummary(broken)}; the first: ${first?.problem}`,
    {
      where,
      remedy: remedyOf(broken, inputs, outputs),
    },
  );
}

/** What to do where most rows cannot be read, by what is wrong with most of those. */
function remedyOf(
  { reasons, count, first }: BrokenRows,
  inputs: ReadParts['inputs'],
  outputs: ReadParts['outputs'],
): string {
  const [reason] = Object.entries(reasons).find(([, rows]) => 2 * rows > count) ?? [];
  const told = first.find((row) => row.reason === reason)?.remedy;
  if (told !== undefined) return told;
  const keys = outputs.map(({ name, keys: own = keysInOutputs(name) }) => own);
  switch (reason) {
    case 'text': {
      const shown = first.filter((row) => row.reason === reason);
      if (shown.every(({ problem }) => problem.endsWith(' is empty'))) {
        const named = inputs.map(({ key }) => key).filter((key) => key !== undefined);
        return named.length === 0
          ? 'Write a text into the files, or leave out those without one.'
          : `Give the rows texts, or set ${named.join(' and ')} to the column that has them.`;
      }
      const columns = [...inputs.map(({ key }) => key), ...keys.map(({ field }) => field)];
      const named = [...new Set(columns.filter((key) => key !== undefined))];
      if (named.length === 0) return NOT_AS_TOLD;
      return `Set ${named.join(' and ')} to the names that the data uses; \`limbeck init --data FILE\` proposes them.`;
    }
    case 'image':
    case 'audio': {
      const named = inputs.filter((input) => input.modality === reason).map(({ key }) => key);
      const column = named.find((key) => key !== undefined);
      return column === undefined
        ? 'Check the files: most of them cannot be read.'
        : `Check the files, and that ${column} names what holds them; paths are relative to the folder of the data.`;
    }
    case 'value':
    case 'label': {
      const length = /more than (outputs\.\S+\.length) /.exec(
        first.find((row) => row.reason === reason)?.problem ?? '',
      )?.[1];
      if (length !== undefined) return `Set ${length} to more, or leave out the rows with longer sentences.`;
      const named = keys.map(({ field }) => field).filter((field) => field !== undefined);
      return named.length === 0
        ? NOT_AS_TOLD
        : `Check that ${named.join(' and ')} ${named.length === 1 ? 'names a column' : 'name columns'} with such values.`;
    }
    case 'conversation':
      return first.some(({ problem }) => problem.includes('the chat template'))
        ? "Correct the tokenizer's chat template (chat_template.jinja, or chat_template in tokenizer_config.json), or write the conversations as it expects them."
        : 'Write each conversation as a list of messages, { role, content }, with an answer of the assistant.';
    case 'tokens':
      return `Take a tokenizer that reads such texts (${inputs.map(({ key = 'inputs.text.field' }) => key.replace(/[^.]+$/, 'tokenizer')).join(' and ')}), or longer texts.`;
    case 'encoding':
      return 'Set data.source.encoding to the encoding of the file, or give a file of text.';
    case 'json':
      return 'Write each object on a line of its own; with jq: jq -c . FILE > FILE.jsonl.';
    case 'unknown-label':
      return `List the labels that the data has in ${keys.map(({ labels }) => labels).join(' or ')}, or rename them (data.renameLabels).`;
    default:
      return NOT_AS_TOLD;
  }
}

const NOT_AS_TOLD =
  'Set what describes the file in data.source (columns, delimiter, quote, encoding), or correct it; `limbeck init --data FILE` proposes them.';
