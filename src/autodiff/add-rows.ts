import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { range } from './broadcast.ts';
import { expandTo, reshapeTo, type Size } from './sizes.ts';

/**
 * Elements that one ScatterND may add. ORT shares its index tuples among threads, which race for equal ones and lose
 * additions, when their cost (its tuples times the elements of each) is worth a second thread: from 210,000 on, by the cost
 * model of its thread pool (Eigen's). Below, one thread adds them in order. `src/autodiff/add-rows.test.ts` holds it.
 */
const ONE_THREAD = 100_000;

/** A table of this many times the added rows is read and written too often by pieces. */
const LARGE_TABLE = 8;

/** Rows to add, and where. */
export interface AddedRows {
  /** int32 or int64 [count], below 0 from the end. */
  readonly indices: TypedValue;
  /** [count, width] */
  readonly rows: TypedValue;
  readonly count: Size;
  readonly width: Size;
  /** Rows of the table. */
  readonly height: Size;
}

/**
 * A table [height, width] of zeros to which rows are added in their order: the gradient of an embedding.
 *
 * By ScatterND with reduction=add on a few columns at a time, each small enough to stay on one thread; the same bits as
 * ScatterElements with reduction=add, which goes from element to element. Of a table [V, D] and N ids, milliseconds of a
 * processor (AMD EPYC, `npx tsx scripts/measure-gradients.ts`):
 *
 * | N, V, D           | ScatterElements | ScatterND by columns | OneHot, Gemm |
 * |-------------------|-----------------|----------------------|--------------|
 * | 8,192, 8,000, 512 | 104             | 12                   |              |
 * | 8,192, 8,000, 64  | 6.6             | 0.7 to 1.9           |              |
 * | 4,096, 8,000, 64  | 1.6             | 0.3                  | 210          |
 * | 1,024, 30,522, 768| 20              | 34 (not taken)       |              |
 */
export function addRows(g: GraphBuilder, { indices, rows, count, width, height }: AddedRows): TypedValue {
  const zeros = (columns: Size) => expandTo(g, g.scalar(0, rows.type), [height, columns]);
  const columns = columnsAtOnce(count, width, height);
  if (columns === undefined) {
    const at = expandTo(g, reshapeTo(g, indices, [count, 1]), [count, width]);
    return g.scatterElements(zeros(width), at, rows, { axis: 0, reduction: 'add' });
  }
  const at = reshapeTo(g, g.cast(indices, 'int64'), [count, 1]);
  const starts = range(Math.ceil((width as number) / columns)).map((i) => i * columns);
  const pieces = starts.map((start) => {
    const end = Math.min(width as number, start + columns);
    const piece = end - start === width ? rows : g.slice(rows, 1, start, end);
    return g.scatterNd(zeros(end - start), at, piece, 'add');
  });
  return pieces.length > 1 ? g.concat(pieces, 1) : (pieces[0] as TypedValue);
}

/** Columns that one ScatterND may take; undefined where ScatterElements is to add them. */
function columnsAtOnce(count: Size, width: Size, height: Size): number | undefined {
  if (typeof count !== 'number' || typeof width !== 'number' || typeof height !== 'number') return undefined;
  if (count * width <= ONE_THREAD) return Math.max(1, width);
  if (count > ONE_THREAD || height > LARGE_TABLE * count) return undefined;
  return Math.floor(ONE_THREAD / count);
}
