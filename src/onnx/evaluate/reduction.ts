import type { DataType } from '../data-type.ts';
import { intAttribute } from '../graph.ts';
import { elementCount } from '../tensor.ts';
import { larger, smaller } from './elementwise.ts';
import {
  allocate,
  Declined,
  type Evaluator,
  normalAxis,
  required,
  stridedPlaces,
  stridesOf,
} from './evaluator.ts';
import { axesOf } from './movement.ts';

/**
 * Reductions of whole numbers, as shapes are computed with. Floats are left to the engine: their sum depends on
 * the order.
 */
const reduction =
  (combine: (a: bigint, b: bigint) => bigint, empty: bigint | undefined): Evaluator =>
  (node, inputs, limits) => {
    const source = required(inputs, 0);
    const type: DataType = source.type;
    if (type !== 'int64' && type !== 'int32') throw new Declined(`not for ${type}`);
    if (source.data.length > limits.maxElements) throw new Declined('too many elements');
    const rank = source.dims.length;
    let axes = axesOf(node, inputs, 1, limits)?.map((axis) => normalAxis(axis, rank));
    if (!axes || axes.length === 0) {
      if (intAttribute(node, 'noop_with_empty_axes', 0) !== 0) return [source];
      axes = source.dims.map((_, i) => i);
    }
    const reduced = axes;
    const kept = source.dims.map((dim, i) => (reduced.includes(i) ? 1 : dim));
    const dims = intAttribute(node, 'keepdims', 1)
      ? kept
      : source.dims.filter((_, i) => !reduced.includes(i));
    // The place of each source element in the result: reduced axes do not move it.
    const strides = stridesOf(kept).map((stride, i) => (reduced.includes(i) ? 0 : stride));
    const places = stridedPlaces(source.dims, strides);
    const results = new Array<bigint | undefined>(elementCount(dims)).fill(empty);
    for (let i = 0; i < places.length; i++) {
      const at = places[i]!;
      const value = BigInt(source.data[i]!);
      const before = results[at];
      results[at] = before === undefined ? value : combine(before, value);
    }
    if (results.includes(undefined)) throw new Declined('nothing to reduce');
    if (type === 'int64') {
      const data = allocate('int64', dims, limits);
      data.set(results as bigint[]);
      return [{ type, dims, data }];
    }
    const data = allocate('int32', dims, limits);
    for (const [i, value] of results.entries()) data[i] = Number(BigInt.asIntN(32, value!));
    return [{ type, dims, data }];
  };

export const REDUCTION: Record<string, Evaluator> = {
  ReduceProd: reduction((a, b) => BigInt.asIntN(64, a * b), 1n),
  ReduceSum: reduction((a, b) => BigInt.asIntN(64, a + b), 0n),
  ReduceMin: reduction(smaller, undefined),
  ReduceMax: reduction(larger, undefined),
};
