import type { TypedValue } from '../onnx/graph.ts';

/** How a value was made from zeros by adding a few elements to them. */
export interface Scattered {
  readonly axis: number;
  readonly indices: TypedValue;
  readonly updates: TypedValue;
}

const known = new WeakMap<TypedValue, Scattered>();

/**
 * Remembers that a gradient is zero but for a few elements. A rule that adds it to something large can then add those
 * elements alone. Only an optimization: nothing depends on an entry being here.
 */
export function rememberScattered(value: TypedValue, how: Scattered): TypedValue {
  known.set(value, how);
  return value;
}

/** How the value was scattered; undefined when it is not known to be. */
export function scatteredAs(value: TypedValue): Scattered | undefined {
  return known.get(value);
}
