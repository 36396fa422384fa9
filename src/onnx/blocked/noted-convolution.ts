import type { TypedValue, Value } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { WindowGeometry } from '../window-geometry.ts';

/** How a convolution moves over its input. */
export interface ConvolutionPlace {
  readonly geometry: WindowGeometry;
  readonly group: number;
}

/**
 * How the gradient of a convolution's weights is computed: a product for each place of the kernel, one product with the
 * channels last, a Conv with dy as its kernel; or over blocks of channels.
 */
export const WEIGHT_GRADIENT_FORMS = ['places', 'columns', 'swapped', 'blocked'] as const;
export type WeightGradientForm = (typeof WEIGHT_GRADIENT_FORMS)[number];
export type StandardForm = Exclude<WeightGradientForm, 'blocked'>;

/** That a value is a gradient of y = Conv(x, w), of its input or of its weights. */
export interface ConvolutionGradient extends ConvolutionPlace {
  readonly of: 'input' | 'weight';
  readonly x: TypedValue;
  readonly w: TypedValue;
  /** The gradient of y. */
  readonly dy: TypedValue;
  /** Of a weight's gradient, where it has other forms: the one that it has, and a way to the others. */
  readonly forms?: {
    readonly own: StandardForm;
    as(g: GraphBuilder, form: StandardForm, x: TypedValue, dy: TypedValue): TypedValue;
  };
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
