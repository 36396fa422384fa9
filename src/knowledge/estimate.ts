import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { LabelEncoding } from './label-encoding.ts';
import { ROWS_PER_TRANSACTION } from './label-writer.ts';
import { lengthRecordBytes, recordBytes } from './record.ts';
import { sparseRecordBytes } from './sparse-record.ts';
import { trimmedRecordBytes } from './trimmed-record.ts';
import { type AnswerDims, dimsAt } from './true-length.ts';

const PAGE_BYTES = 4096;
const PAGE_HEADER_BYTES = 24;
/** LMDB's header of a record, and its slot in the page. */
const NODE_BYTES = 10;
/** A record that does not fit twice into a page gets pages of its own, and leaves their number (8 bytes). */
const LARGEST_INLINE = (PAGE_BYTES - PAGE_HEADER_BYTES) / 2 - NODE_BYTES - SAMPLE_KEY_BYTES;
/** How full the pages of a B-tree are after inserts in random order (A. Yao, "On random 2-3 trees", 1978). */
const FILL = Math.LN2;

/**
 * About how many bytes of disk the labels of so many new samples take in the knowledge store. Within 10 % of what
 * was measured for 80,000 labels of 26 values, in transactions of 128 to 2,048 rows.
 */
export function estimateBytes(samples: number, dims: readonly number[], encoding: LabelEncoding): number {
  return estimatedPages(samples, recordBytes(elementCount(dims), encoding)) * PAGE_BYTES;
}

/**
 * The same for answers whose shape depends on the length of the sample.
 *
 * @param lengths how many samples there are of each length in tokens
 */
export function estimateLengthBytes(
  lengths: ReadonlyMap<number, number>,
  dims: AnswerDims,
  encoding: LabelEncoding,
): number {
  let pages = 0;
  for (const [length, samples] of lengths)
    pages += estimatedPages(samples, recordBytesAt(dims, length, encoding));
  return pages * PAGE_BYTES;
}

/** Of answers to a text of some length; at most, where what is kept depends on the answer. */
function recordBytesAt(dims: AnswerDims, length: number, encoding: LabelEncoding): number {
  const elements = elementCount(dimsAt(dims, length));
  if (encoding === 'sparse') return sparseRecordBytes(elements, length);
  return encoding === 'float16-trimmed'
    ? trimmedRecordBytes(elements, length)
    : lengthRecordBytes(elements, encoding);
}

function estimatedPages(samples: number, record: number): number {
  const inline = record <= LARGEST_INLINE;
  const node = NODE_BYTES + SAMPLE_KEY_BYTES + (inline ? record : 8);
  const leaves = (samples * node) / ((PAGE_BYTES - PAGE_HEADER_BYTES) * FILL);
  // A transaction writes each page that it touches anew; the old ones are free two transactions later.
  const touched = leaves * (1 - Math.exp(-Math.min(samples, ROWS_PER_TRANSACTION) / Math.max(leaves, 1)));
  const own = inline ? 0 : samples * Math.ceil((record + PAGE_HEADER_BYTES) / PAGE_BYTES);
  return Math.ceil(leaves + 2 * touched + own);
}
