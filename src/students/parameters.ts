import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { totalBytes } from '../platform/machine.ts';
import type { RandomStream } from '../random.ts';
import { sizeInWords } from '../size-in-bytes.ts';

/** What training holds of each parameter at least: itself, its gradient and two moments. */
const BYTES_IN_TRAINING = 16;

/** Makes a student's parameters, with their usual initial values, and remembers their names. */
export class ParameterMaker {
  readonly names: string[] = [];
  readonly #g: GraphBuilder;
  readonly #random: RandomStream;
  readonly #memory: number;
  #inherited: ReadonlyMap<string, Tensor> = new Map();
  /** Numbers that were drawn. */
  #drawn = 0;

  /** @param memory bytes of the machine: parameters that cannot be trained in them are not drawn */
  constructor(g: GraphBuilder, random: RandomStream, memory = totalBytes()) {
    this.#g = g;
    this.#random = random;
    this.#memory = memory;
  }

  /** Parameters that are made from now on begin with these contents, by their names with their scopes, instead of their usual ones. */
  inherit(contents: ReadonlyMap<string, Tensor>): void {
    this.#inherited = contents;
  }

  /**
   * Normal with standard deviation `deviation`.
   *
   * @throws LimbeckError `recipe.invalid` for more parameters than the machine has memory to train
   */
  normal(name: string, dims: readonly number[], deviation: number): TypedValue {
    if (this.#inherited.has(this.#g.nameInScope(name))) return this.constant(name, dims, 0);
    this.#drawn += elementCount(dims);
    this.#requireMemory(BYTES_IN_TRAINING * this.#drawn);
    const data = Float32Array.from({ length: elementCount(dims) }, () => deviation * this.#random.normal());
    return this.#add(name, { type: 'float32', dims, data });
  }

  /** A weight [inputs, outputs], normal with variance 2 / inputs: for layers that a ReLU follows (He et al., 2015). */
  he(name: string, inputs: number, outputs: number): TypedValue {
    return this.normal(name, [inputs, outputs], Math.sqrt(2 / inputs));
  }

  /** A weight [inputs, outputs], normal with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010). */
  glorot(name: string, inputs: number, outputs: number): TypedValue {
    return this.normal(name, [inputs, outputs], Math.sqrt(2 / (inputs + outputs)));
  }

  constant(name: string, dims: readonly number[], value: number): TypedValue {
    return this.#add(name, filled(dims, value));
  }

  /** One that starts from numbers that were measured. */
  starting(name: string, dims: readonly number[], data: Float32Array): TypedValue {
    return this.#add(name, { type: 'float32', dims, data });
  }

  /** A tensor that training changes but no gradient does: the running statistics of a batch normalisation. */
  buffer(name: string, dims: readonly number[], value: number): TypedValue {
    return this.#g.initializer(name, filled(dims, value));
  }

  /** Makes an initializer that is in the graph already a parameter. */
  adopt(value: TypedValue): void {
    this.names.push(value.name);
  }

  /**
   * A weight of the shape of another, drawn anew: normal, with its mean and deviation. What is the same everywhere (the scale of
   * a normalisation, a bias of zeros) stays.
   */
  redrawn({ type, dims, data }: Tensor): Tensor {
    const values = data as Float32Array;
    let [sum, squares] = [0, 0];
    for (const value of values) {
      sum += value;
      squares += value * value;
    }
    const mean = sum / values.length;
    const deviation = Math.sqrt(Math.max(0, squares / values.length - mean * mean));
    const drawn = Float32Array.from(values, () => mean + deviation * this.#random.normal());
    return { type, dims, data: drawn } as Tensor;
  }

  #requireMemory(bytes: number): void {
    if (bytes <= this.#memory) return;
    const millions = Math.floor(bytes / BYTES_IN_TRAINING / 1e6).toLocaleString('en-US');
    throw new LimbeckError(
      'recipe.invalid',
      `the student is too large to be trained here: its first ${millions} million parameters alone take ${sizeInWords(bytes)}, and the machine has ${sizeInWords(this.#memory)}`,
      { where: 'student', remedy: 'Make it narrower or shallower, or use a machine with more memory.' },
    );
  }

  #add(name: string, content: Tensor): TypedValue {
    const inherited = this.#inherited.get(this.#g.nameInScope(name));
    if (inherited && `${inherited.dims}` !== `${content.dims}`)
      throw new Error(`${name} has the sizes ${content.dims}, what it inherits ${inherited.dims}`);
    const value = this.#g.initializer(name, inherited ?? content);
    this.names.push(value.name);
    return value;
  }
}

function filled(dims: readonly number[], value: number): Tensor {
  return { type: 'float32', dims, data: new Float32Array(elementCount(dims)).fill(value) };
}
