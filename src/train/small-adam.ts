import { float32, type Tensor } from '../onnx/tensor.ts';

const BETA1 = 0.9;
/** Shorter than is usual for parameters: what it is for takes some hundred steps in all. */
const BETA2 = 0.99;
const EPSILON = 1e-12;

/** Adam for a handful of numbers, outside of any graph. Kingma and Ba, "Adam" (2015), algorithm 1. */
export class SmallAdam {
  readonly #learningRate: number;
  readonly #m: Float32Array;
  readonly #v: Float32Array;
  #steps = 0;

  constructor(size: number, learningRate: number) {
    this.#learningRate = learningRate;
    this.#m = new Float32Array(size);
    this.#v = new Float32Array(size);
  }

  /** Goes one step against the gradient, in place. */
  descend(values: Float32Array, gradient: readonly number[]): void {
    this.#steps++;
    const correction = (beta: number) => 1 - beta ** this.#steps;
    gradient.forEach((slope, i) => {
      this.#m[i] = BETA1 * (this.#m[i] as number) + (1 - BETA1) * slope;
      this.#v[i] = BETA2 * (this.#v[i] as number) + (1 - BETA2) * slope * slope;
      const mean = (this.#m[i] as number) / correction(BETA1);
      const root = Math.sqrt((this.#v[i] as number) / correction(BETA2));
      values[i] = (values[i] as number) - (this.#learningRate * mean) / (root + EPSILON);
    });
  }

  save(): Map<string, Tensor> {
    return new Map([
      ['adam/m', float32(this.#m)],
      ['adam/v', float32(this.#v)],
      ['adam/steps', float32([this.#steps])],
    ]);
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    this.#m.set(state.get('adam/m')?.data as Float32Array);
    this.#v.set(state.get('adam/v')?.data as Float32Array);
    this.#steps = Number(state.get('adam/steps')?.data[0]);
  }
}
