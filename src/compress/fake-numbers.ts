import type { AttributeInits } from '../onnx/attributes.ts';
import type { Shape, Value } from '../onnx/graph.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import type { GraphRewriter, Target } from './graph-rewriter.ts';

/**
 * 1.5 * 2^23: added to a number below 2^22 and taken away again, it leaves the nearest whole number, of two the even one,
 * which is how QuantizeLinear rounds. Sums pass gradients as they are, so that rounding does, too (straight-through:
 * Bengio, Leonard and Courville, 2013), in two additions that stay in blocked layouts.
 */
const ROUNDING = 1.5 * 2 ** 23;
const LEAST_NORMAL = 2 ** -126;

/** Where a range of activations is: float32 [] each; the zero point is a whole number of 0 to 255. */
export interface FakeAffine {
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/** Emits numbers as they are after quantisation, in float32 and with the roundings of the int8 file. */
export class FakeNumbers {
  readonly #rewriter: GraphRewriter;
  readonly #opset: number;
  readonly #scalars = new Map<number, Value>();

  constructor(rewriter: GraphRewriter, opset: number) {
    this.#rewriter = rewriter;
    this.#opset = opset;
  }

  /** What is left of activations after uint8: clipped to what the levels reach, and rounded; no gradient beyond that. */
  activation(x: Value, { scale, zeroPoint }: FakeAffine, target: Target): Value {
    const { name, shape } = target;
    const places = this.op('Div', [x, scale], `${name}/places`, shape);
    const low = this.op('Neg', [zeroPoint], `${name}/lowest`, []);
    const high = this.op('Sub', [this.scalar(255), zeroPoint], `${name}/highest`, []);
    const within = this.op('Clip', [places, low, high], `${name}/within`, shape);
    return this.#rewriter.emit('Mul', [this.rounded(within, name), scale], target);
  }

  /** What is left of weights by a scale that broadcasts with them, between two levels; between any where none are given. */
  weight(w: Value, scale: Value, levels: readonly [number, number] | undefined, name: string): Value {
    const places = this.op('Div', [w, scale], `${name}/places`, w.shape);
    const within =
      levels === undefined
        ? places
        : this.op('Clip', [places, ...levels.map((end) => this.scalar(end))], `${name}/within`, w.shape);
    return this.op('Mul', [this.rounded(within, name), scale], `${name}/fake`, w.shape);
  }

  /** What is left of a bias in int32 by a scale: too large a number for the trick with which others are rounded. */
  bias(b: Value, scale: Value): Value {
    const { name, shape } = b;
    const places = this.op('Div', [b, scale], `${name}/places`, shape);
    const nearest = this.op('Round', [places], `${name}/nearest`, shape);
    const off = this.stopped(this.op('Sub', [nearest, places], `${name}/off`, shape));
    return this.op(
      'Mul',
      [this.op('Add', [places, off], `${name}/level`, shape), scale],
      `${name}/fake`,
      shape,
    );
  }

  /** uint8 parameters of a range [low, high]: `affineUint8`, operation by operation. */
  affine(low: Value, high: Value, name: string): FakeAffine {
    const zero = this.scalar(0);
    const least = this.op('Min', [low, zero], `${name}/least`, []);
    const most = this.op('Max', [high, zero], `${name}/most`, []);
    const width = this.op('Sub', [most, least], `${name}/width`, []);
    const scale = this.usable(this.op('Div', [width, this.scalar(255)], `${name}/step`, []), name);
    const place = this.op('Div', [this.op('Neg', [least], `${name}/below`, []), scale], `${name}/place`, []);
    const nearest = this.op('Round', [place], `${name}/nearest_place`, []);
    const zeroPoint = this.op('Clip', [nearest, zero, this.scalar(255)], `${name}/zero_point`, []);
    return { scale, zeroPoint };
  }

  /** A scale, or 1 where it is too small to divide by. */
  usable(scale: Value, name: string): Value {
    const usable = this.#rewriter.emit('GreaterOrEqual', [scale, this.scalar(LEAST_NORMAL)], {
      name: `${name}/usable`,
      type: 'bool',
      shape: scale.shape,
    });
    return this.op('Where', [usable, scale, this.scalar(1)], `${name}/scale`, scale.shape);
  }

  /** The largest size among the elements along some axes, which stay with size 1. */
  largestSize(x: Value, axes: readonly number[], name: string): Value {
    const shape = x.shape?.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    return this.reduce(
      'ReduceMax',
      this.op('Abs', [x], `${name}/sizes`, x.shape),
      axes,
      `${name}/largest`,
      shape,
    );
  }

  /** A reduction; over all axes to a scalar where none is named. */
  reduce(
    opType: 'ReduceMax' | 'ReduceMin',
    x: Value,
    axes: readonly number[] | undefined,
    name: string,
    shape: Shape | undefined,
  ): Value {
    const keepdims = axes ? 1 : 0;
    if (!axes) return this.op(opType, [x], name, shape, { keepdims });
    // The axes became an input with opset 18.
    return this.#opset < 18
      ? this.op(opType, [x], name, shape, { keepdims, axes: [...axes] })
      : this.op(opType, [x, this.integers(axes)], name, shape, { keepdims });
  }

  /** The same value, through which no gradient flows (`stopGradient`). */
  stopped(x: Value): Value {
    return this.op('Identity', [x], `${x.name}/stop_gradient/Identity`, x.shape);
  }

  /** The nearest whole number of one below 2^22. */
  rounded(x: Value, name: string): Value {
    const large = this.scalar(ROUNDING);
    return this.op(
      'Sub',
      [this.op('Add', [x, large], `${name}/raised`, x.shape), large],
      `${name}/level`,
      x.shape,
    );
  }

  /** Emits a node with a float32 output. */
  op(
    opType: string,
    inputs: readonly (Value | null)[],
    name: string,
    shape: Shape | undefined,
    attributes: AttributeInits = {},
  ): Value {
    return this.#rewriter.emit(opType, inputs, { name, type: 'float32', shape }, attributes);
  }

  scalar(number: number): Value {
    const known = this.#scalars.get(number);
    if (known) return known;
    const value = this.#rewriter.initializer(
      `quantisation/number_${this.#scalars.size}`,
      float32([number], []),
    );
    this.#scalars.set(number, value);
    return value;
  }

  integers(numbers: readonly number[]): Value {
    return this.#rewriter.initializer('quantisation/axes', int64(numbers));
  }
}
