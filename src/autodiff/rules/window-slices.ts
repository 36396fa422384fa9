import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { range } from '../broadcast.ts';

/** Zeros around the spatial axes. */
export function padSpatial(
  g: GraphBuilder,
  x: TypedValue,
  before: readonly number[],
  after: readonly number[],
): TypedValue {
  if ([...before, ...after].every((pad) => pad === 0)) return x;
  return g.op('Pad', [x, g.ints([0, 0, ...before, 0, 0, ...after])]);
}

/** Elements along one spatial axis. */
export interface Taken {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** `count` elements from `start` on, `step` apart, along every spatial axis. */
export function takeSpatial(g: GraphBuilder, x: TypedValue, taken: readonly Taken[]): TypedValue {
  const cut = taken.flatMap((along, axis) => {
    const whole = along.start === 0 && along.step === 1 && x.shape[axis + 2] === along.count;
    return whole ? [] : [{ ...along, axis: axis + 2 }];
  });
  if (cut.length === 0) return x;
  return g.op('Slice', [
    x,
    g.ints(cut.map(({ start }) => start)),
    g.ints(cut.map(({ start, count, step }) => start + (count - 1) * step + 1)),
    g.ints(cut.map(({ axis }) => axis)),
    g.ints(cut.map(({ step }) => step)),
  ]);
}

/** All places of a kernel, in row-major order. */
export function kernelPlaces(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (places, size) => places.flatMap((place) => range(size).map((at) => [...place, at])),
    [[]],
  );
}
