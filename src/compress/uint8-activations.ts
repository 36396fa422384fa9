import { LimbeckError } from '../errors.ts';
import type { Value } from '../onnx/graph.ts';
import { tensor } from '../onnx/tensor.ts';
import type { GraphRewriter } from './graph-rewriter.ts';
import { type AffineParameters, affineUint8 } from './int8.ts';
import { chooseRange, type RangeMethod, type Ranges } from './range.ts';

/** Quantises each activation once, however many layers read it (queries, keys and values do). */
export class Uint8Activations {
  readonly #rewriter: GraphRewriter;
  readonly #ranges: Ranges;
  readonly #method: RangeMethod;
  readonly #known: ReadonlyMap<string, AffineParameters>;
  readonly #made = new Map<Value, Uint8Activation>();

  /** @param known scales and zero points that no range decides any more */
  constructor(
    rewriter: GraphRewriter,
    ranges: Ranges,
    method: RangeMethod,
    known: ReadonlyMap<string, AffineParameters> = new Map(),
  ) {
    this.#rewriter = rewriter;
    this.#ranges = ranges;
    this.#method = method;
    this.#known = known;
  }

  /** The value as uint8. */
  of(value: Value): Uint8Activation {
    let made = this.#made.get(value);
    if (!made) {
      const { scale, zeroPoint, parameters } = this.parameters(value.name);
      const levels = this.#rewriter.emit('QuantizeLinear', [value, scale, zeroPoint], {
        name: `${value.name}_uint8`,
        type: 'uint8',
        shape: value.shape,
      });
      made = { value: levels, scale, zeroPoint, parameters };
      this.#made.set(value, made);
    }
    return made;
  }

  /** Tells that a value has been given as uint8 by an operator itself. */
  set(value: Value, made: Uint8Activation): void {
    this.#made.set(value, made);
  }

  /** Scale and zero point of the value called `name`, less an addend whose least and largest are given. */
  parameters(name: string, addend: readonly [number, number] = [0, 0]): Omit<Uint8Activation, 'value'> {
    const parameters = this.#known.get(name) ?? this.#fromRange(name, addend);
    return {
      parameters,
      scale: this.#rewriter.initializer(
        `${name}_act_scale`,
        tensor('float32', [], Float32Array.of(parameters.scale)),
      ),
      zeroPoint: this.#rewriter.initializer(
        `${name}_act_zero`,
        tensor('uint8', [], Uint8Array.of(parameters.zeroPoint)),
      ),
    };
  }

  #fromRange(name: string, [least, largest]: readonly [number, number]): AffineParameters {
    const observed = this.#ranges.get(name);
    if (!observed) {
      throw new LimbeckError('export.calibration', `'${name}' has not been calibrated`, {
        remedy: 'Calibrate all of valuesToCalibrate(graph, options), with the options that quantise.',
      });
    }
    const [low, high] = chooseRange(observed, this.#method);
    return affineUint8(low - largest, high - least);
  }
}

/** A value as uint8 levels. */
export interface Uint8Activation {
  readonly value: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
  readonly parameters: AffineParameters;
}
