import { checkSize, Declined, type EvaluateLimits, stridedPlaces, stridesOf } from './evaluator.ts';

/** The shape of an elementwise operation on tensors of these shapes (numpy's rules). */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const dims of shapes) {
      const dim = dims[axis - rank + dims.length] ?? 1;
      if (dim === 1 || dim === size) continue;
      if (size !== 1)
        throw new Declined(`shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`);
      size = dim;
    }
    return size;
  });
}

/** For each element of the broadcast shape `to`, its place in a tensor of shape `from`. */
export function broadcastPlaces(
  from: readonly number[],
  to: readonly number[],
  limits: EvaluateLimits,
): Float64Array {
  checkSize(to, limits);
  const own = stridesOf(from);
  const strides = to.map((_, axis) => {
    const at = axis - to.length + from.length;
    return at < 0 || from[at] === 1 ? 0 : own[at]!;
  });
  return stridedPlaces(to, strides);
}
