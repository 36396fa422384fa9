import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RowLosses } from './objective.ts';

/** The option of a loss that is dear, and need not see every sample in every step. */
export function partOption(part: number) {
  return z
    .number()
    .gt(0)
    .max(1)
    .default(part)
    .describe(
      'The part of the rows of a batch that it looks at, for its cost; the order of samples is random.',
    );
}

/** How many of the rows of a batch a part is: one at least. */
export function rowsOf(part: number, { shape }: TypedValue): number {
  return Math.max(1, Math.round(part * (shape[0] as number)));
}

/** The first rows of a value; itself where those are all. */
export function firstRows(g: GraphBuilder, x: TypedValue, rows: number): TypedValue {
  return rows === x.shape[0] ? x : g.slice(x, 0, 0, rows);
}

/** Losses of the first rows as those of a batch, in which the other rows do not count. */
export function asBatch(g: GraphBuilder, { values, weights }: RowLosses, batch: number): RowLosses {
  const missing = batch - (values.shape[0] as number);
  if (missing === 0) return { values, weights };
  return { values: g.pad(values, 0, 0, missing), weights: g.pad(weights, 0, 0, missing) };
}
