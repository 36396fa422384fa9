import { SEQUENCE } from '../../data/columns.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Split } from '../../data/split.ts';
import type { LabelEncoding } from '../../knowledge/label-encoding.ts';
import { LabelSpace } from '../../knowledge/label-space.ts';
import type { KnowledgeStore, SpaceSummary } from '../../knowledge/store.ts';
import { type AnswerDims, hasLength } from '../../knowledge/true-length.ts';
import { join } from '../../platform/paths.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { type BucketSizes, lengthOf } from './batch-counts.ts';

/** Which space of the store is meant. */
export interface SpaceQuery {
  /** undefined when it is not known yet what the teacher's hash will be. */
  readonly teacher: string | undefined;
  readonly tap: string;
  readonly preprocessing: string;
  /** The shape of an answer, where spaces of one tap differ in it. */
  readonly dims?: AnswerDims;
  /** Whether missing answers are counted by the length of their text too; where it is part of `dims` when absent. */
  readonly byLength?: boolean;
  /** How they are kept, where a teacher may have spaces of several encodings. */
  readonly encoding?: LabelEncoding;
}

/** What the store holds of one split. */
export interface StoredAnswers {
  readonly present: number;
  readonly missing: number;
  /** The samples without an answer, by bucket. */
  readonly missingByBucket: BucketSizes;
  /** The same by their own length in tokens, where that is part of the answers' shape. */
  readonly missingLengths: ReadonlyMap<number, number>;
  /** The space, when the store has it. */
  readonly space: SpaceSummary | undefined;
}

const ROWS = 256;

/**
 * Counts which samples of a split have an answer in the store. It only looks: no space is made, and none is marked
 * as used.
 */
export async function storedAnswers(
  store: KnowledgeStore,
  split: Split,
  query: SpaceQuery,
  checkInterrupted: () => void,
): Promise<StoredAnswers> {
  const found = (await store.list()).find(
    ({ teacher, tap, dims, preprocessing, encoding, samples, problem }) =>
      teacher === query.teacher &&
      (query.dims === undefined || `${query.dims}` === `${dims}`) &&
      tap === query.tap &&
      (query.encoding === undefined || encoding === query.encoding) &&
      preprocessing === query.preprocessing &&
      samples > 0 &&
      problem === undefined,
  );
  const { byLength = query.dims !== undefined && hasLength(query.dims) } = query;
  if (!found && !byLength) {
    return {
      present: 0,
      missing: split.size,
      missingByBucket: split,
      missingLengths: new Map(),
      space: undefined,
    };
  }
  const missing = new Map<number, number>();
  const missingLengths = new Map<number, number>();
  const space = found && new LabelSpace(found, join(store.folder, found.id), 'read');
  try {
    for (const batch of splitBatches(split, ROWS)) {
      checkInterrupted();
      const rows = space?.missing(batch.keys) ?? Array.from({ length: batch.filled }, (_, row) => row);
      const length = lengthOf({ length: batch.sizes[SEQUENCE] });
      missing.set(length, (missing.get(length) ?? 0) + rows.length);
      const spans = byLength ? tokenSpans(batch) : undefined;
      for (const row of spans ? rows : []) {
        const own = spans?.lengths[row] as number;
        missingLengths.set(own, (missingLengths.get(own) ?? 0) + 1);
      }
    }
  } finally {
    await space?.close();
  }
  const buckets = split.buckets.map((bucket) => ({ ...bucket, size: missing.get(lengthOf(bucket)) ?? 0 }));
  const count = buckets.reduce((sum, { size }) => sum + size, 0);
  return {
    present: split.size - count,
    missing: count,
    missingByBucket: { buckets },
    missingLengths,
    space: found,
  };
}
