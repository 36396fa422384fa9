import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { range } from '../broadcast.ts';
import { UnsupportedGradient } from '../rule.ts';

/** Zeros around the spatial axes, which begin at `first`. */
export function padSpatial(
  g: GraphBuilder,
  x: TypedValue,
  before: readonly number[],
  after: readonly number[],
  first = 2,
): TypedValue {
  if ([...before, ...after].every((pad) => pad === 0)) return x;
  const around = (pads: readonly number[]) => x.shape.map((_, axis) => pads[axis - first] ?? 0);
  return g.op('Pad', [x, g.ints([...around(before), ...around(after)])]);
}

/** Elements along one spatial axis. */
export interface Taken {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** `count` elements from `start` on, `step` apart, along every spatial axis; these begin at `first`. */
export function takeSpatial(g: GraphBuilder, x: TypedValue, taken: readonly Taken[], first = 2): TypedValue {
  const cut = taken.flatMap((along, axis) => {
    const whole = along.start === 0 && along.step === 1 && x.shape[axis + first] === along.count;
    return whole ? [] : [{ ...along, axis: axis + first }];
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

/** Each becomes a few operators. */
const MAX_PLACES = 16_384;

/** All places of a kernel, in row-major order. */
export function kernelPlaces(kernel: readonly number[]): number[][] {
  if (elementCount(kernel) > MAX_PLACES)
    throw new UnsupportedGradient(`a kernel of ${kernel.join('x')}: each place would be written one by one`);
  return kernel.reduce<number[][]>(
    (places, size) => places.flatMap((place) => range(size).map((at) => [...place, at])),
    [[]],
  );
}
