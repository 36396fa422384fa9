import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RowLosses } from './objective.ts';

/** Numbers of which some may be missing. */
export interface KnownNumbers {
  /** The numbers, 0 where there is none. */
  readonly numbers: TypedValue;
  /** 1 where there is a number, 0 where there is none; of the same shape. */
  readonly known: TypedValue;
}

/** Numbers that are NaN where there is none: no NaN gets any further, not even into a gradient. */
export function knownNumbers(g: GraphBuilder, numbers: TypedValue): KnownNumbers {
  const missing = g.isNaN(numbers);
  return { numbers: g.where(missing, 0, numbers), known: g.sub(1, g.cast(missing, 'float32')) };
}

/** The mean over what is known of each row of [rows, width]; a row of which nothing is known does not count. */
export function meanOverKnown(
  g: GraphBuilder,
  losses: TypedValue,
  known: TypedValue,
  rowWeights: TypedValue,
): RowLosses {
  const count = g.reduceSum(known, { axes: [1], keepDims: false });
  const sum = g.reduceSum(g.mul(losses, known), { axes: [1], keepDims: false });
  return { values: g.div(sum, g.max(count, 1)), weights: g.mul(rowWeights, g.min(count, 1)) };
}
