import type { TypedValue, Value } from '../graph.ts';
import type { WindowGeometry } from '../window-geometry.ts';

/** How a convolution moves over its input. */
export interface ConvolutionPlace {
  readonly geometry: WindowGeometry;
  readonly group: number;
}

/** That a value is a gradient of y = Conv(x, w), of its input or of its weights. */
export interface ConvolutionGradient extends ConvolutionPlace {
  readonly of: 'input' | 'weight';
  readonly x: TypedValue;
  readonly w: TypedValue;
  /** The gradient of y. */
  readonly dy: TypedValue;
}

const known = new WeakMap<Value, ConvolutionGradient>();

/** Notes what a value is, for passes that have another way to compute it. The value stays what its nodes say. */
export function noteGradient(value: TypedValue, gradient: ConvolutionGradient): TypedValue {
  known.set(value, gradient);
  return value;
}

/** What was noted of a value. */
export function notedGradient(value: Value): ConvolutionGradient | undefined {
  return known.get(value);
}
