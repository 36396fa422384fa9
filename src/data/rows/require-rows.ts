import { LimbeckError } from '../../errors.ts';
import type { BrokenRows } from '../sample.ts';
import { brokenSummary } from './broken-rows.ts';

/** Fewer rows than this may well be broken for the most part, and be what there is. */
const FEW_ROWS = 10;

/** Throws where nothing can be read, or where more rows are broken than are read: then the file is not what it is taken for. */
export function requireRows(rows: number, samples: number, broken: BrokenRows, title: string): void {
  const first = broken.first[0];
  const where = first ? `${title}, ${first.where}` : title;
  if (samples === 0) {
    throw new LimbeckError(
      'data.empty',
      rows === 0 ? 'the data set is empty' : `none of the ${rows} rows can be used: ${first?.problem}`,
      {
        where,
        remedy: rows === 0 ? 'Set data.source to data with rows; a header alone is none.' : remedyOf(broken),
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
      remedy: NOT_AS_TOLD,
    },
  );
}

/** What to do where no row can be read, by what is wrong with all of them. */
function remedyOf({ reasons, count }: BrokenRows): string {
  const [reason] = Object.keys(reasons).filter((one) => reasons[one as keyof typeof reasons] === count);
  switch (reason) {
    case 'text':
      return 'Set data.source.textField and labelField to the names that the data uses; `limbeck init --data FILE` proposes them.';
    case 'json':
      return 'Write each object on a line of its own; with jq: jq -c . FILE > FILE.jsonl.';
    case 'unknown-label':
      return 'List the labels that the data has in data.labels, or rename them (data.renameLabels).';
    default:
      return NOT_AS_TOLD;
  }
}

const NOT_AS_TOLD =
  'Set what describes the file in data.source (columns, delimiter, quote, encoding), or correct it; `limbeck init --data FILE` proposes them.';
