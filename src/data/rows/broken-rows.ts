import { utf8Of } from '../../platform/bytes.ts';
import { join } from '../../platform/paths.ts';
import { AppendingFile } from '../prepared/appending-file.ts';
import type { BrokenReason, BrokenRow, BrokenRows } from '../sample.ts';

/** The file in a prepared data set (and in a run's folder) that lists the broken rows. */
export const BROKEN_ROWS_FILE = 'broken-rows.jsonl';

/** Rows beyond this many are counted and not listed. */
export const LISTED_BROKEN_ROWS = 10_000;
const SHOWN = 20;
const LONGEST = 300;

/** What is wrong with rows of each reason, for people. */
const REASONS: Readonly<Record<BrokenReason, string>> = {
  encoding: 'bytes that are not of the encoding',
  quotes: 'a quote that is never closed',
  columns: 'another number of columns than the header, or the header again',
  json: 'not a JSON object',
  'too-long': 'too long a line',
  text: 'no text',
  label: 'a label that is no class name',
  'unknown-label': 'a label that is not among those listed',
  split: 'no split of that name',
  id: 'no id or group',
  tokens: 'a text that the tokenizer does not read',
  conversation: 'a conversation that cannot be learnt from',
  image: 'an image that cannot be read',
  audio: 'a sound that cannot be read',
  value: 'a value that is not of the wanted kind',
  missing: 'none of the inputs',
  other: 'another reason',
};

/** Counts broken rows, and lists them in a file: a JSON object a row with place, reason, problem and how it begins. */
export class BrokenRowList {
  readonly found: BrokenRows = { count: 0, first: [], reasons: {} };
  readonly #file: AppendingFile;

  constructor(folder: string) {
    this.#file = new AppendingFile(join(folder, BROKEN_ROWS_FILE), 1 << 12);
  }

  add(row: BrokenRow): void {
    const { count, first, reasons } = this.found;
    const reason = row.reason ?? 'other';
    this.found.count++;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    if (first.length < SHOWN)
      first.push({
        where: row.where,
        problem: cut(row.problem),
        reason,
        ...(row.remedy !== undefined && { remedy: row.remedy }),
      });
    if (count >= LISTED_BROKEN_ROWS) return;
    const entry = {
      where: row.where,
      reason,
      problem: cut(row.problem),
      ...(row.excerpt && { excerpt: cut(row.excerpt) }),
    };
    this.#file.append(utf8Of(`${JSON.stringify(entry)}\n`));
  }

  finish(): { bytes: number; sha256: string } {
    return this.#file.finish();
  }

  close(): void {
    this.#file.close();
  }
}

/** The reasons of broken rows with their counts, the commonest first: `12 with bytes that are not of the encoding`. */
export function brokenSummary({ reasons }: Pick<BrokenRows, 'reasons'>): string {
  return Object.entries(reasons)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} with ${REASONS[reason as BrokenReason]}`)
    .join(', ');
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
