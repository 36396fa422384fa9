import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { elementCount } from '../onnx/tensor.ts';
import { type LabelEncoding, recordBytes } from './record.ts';

const PAGE_BYTES = 4096;
/** LMDB's node header and slot in a page. */
const NODE_BYTES = 10;
/** Larger records get pages of their own. */
const LARGEST_INLINE = 2000;
/** How full the pages of a B-tree are after inserts in random order (ln 2; A. Yao, 1978). */
const FILL = Math.LN2;
/** Pages that the last transactions replaced, and the branches of the tree (measured). */
const SPARE = 1.35;

/** About how many bytes of disk the labels of so many new samples take in the knowledge store. */
export function estimateBytes(samples: number, dims: readonly number[], encoding: LabelEncoding): number {
  const record = recordBytes(elementCount(dims), encoding);
  const node = NODE_BYTES + SAMPLE_KEY_BYTES;
  if (record <= LARGEST_INLINE) return Math.ceil((samples * (record + node) * SPARE) / FILL);
  const pages = Math.ceil((record + 24) / PAGE_BYTES) * PAGE_BYTES;
  return Math.ceil(samples * (pages + (node + 8) / FILL));
}
