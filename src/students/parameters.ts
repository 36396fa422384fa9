import { LimbeckError } from '../errors.ts';
import type { Graph, TypedValue, Value } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { UnwrittenTensor } from '../onnx/unwritten-tensor.ts';
import { totalBytes } from '../platform/machine.ts';
import type { RandomStream } from '../random.ts';
import { sizeInWords } from '../size-in-bytes.ts';
import type { Student } from './student.ts';

/** What training holds of each parameter at least: itself, its gradient and two moments. */
const BYTES_IN_TRAINING = 16;

/**
 * Makes a student's parameters: their names and shapes while the graph is recorded, their usual initial values when it is complete
 * (`finish`). A student that is too large is so refused by its sizes, before memory is taken for any of it.
 */
export class ParameterMaker {
  readonly names: string[] = [];
  readonly #g: GraphBuilder;
  readonly #random: RandomStream;
  readonly #memory: number;
  /** What makes the contents of each tensor that has none yet, in the order in which they were asked for. */
  readonly #undrawn = new Map<Value, () => Float32Array>();
  #inherited: ReadonlyMap<string, Tensor> = new Map();
  #elements = 0;

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

  /** Normal with standard deviation `deviation`. */
  normal(name: string, dims: readonly number[], deviation: number): TypedValue {
    return this.#parameter(name, dims, () =>
      Float32Array.from({ length: elementCount(dims) }, () => deviation * this.#random.normal()),
    );
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
    return this.#parameter(name, dims, () => filled(dims, value));
  }

  /** One that starts from numbers that were measured. */
  starting(name: string, dims: readonly number[], data: Float32Array): TypedValue {
    return this.#parameter(name, dims, () => data);
  }

  /** A tensor that training changes but no gradient does: the running statistics of a batch normalisation. */
  buffer(name: string, dims: readonly number[], value: number): TypedValue {
    const tensor = this.#g.initializer(name, new UnwrittenTensor(dims));
    this.#undrawn.set(tensor, () => filled(dims, value));
    return tensor;
  }

  /** Makes an initializer that is in the graph already a parameter. */
  adopt(value: TypedValue): void {
    this.#elements += elementCount(value.shape as number[]);
    this.names.push(value.name);
  }

  /**
   * Called by `finish`, and before something that takes long is measured for a large student.
   *
   * @throws LimbeckError `recipe.invalid` for more parameters so far than the machine has memory to train
   */
  requireMemory(): void {
    const bytes = BYTES_IN_TRAINING * this.#elements;
    if (bytes <= this.#memory) return;
    const parameters = this.#elements.toLocaleString('en-US');
    throw new LimbeckError(
      'recipe.invalid',
      `the student is too large to be trained here: its ${parameters} parameters, with their gradients and moments, take ${sizeInWords(bytes)} (${sizeInWords(4 * this.#elements)} as float32), and the machine has ${sizeInWords(this.#memory)}`,
      { where: 'student', remedy: 'Make it narrower or shallower, or use a machine with more memory.' },
    );
  }

  /**
   * The student whose parameters were made for this graph, with their initial values, drawn in the order in which they were made.
   *
   * @throws LimbeckError `recipe.invalid` for more parameters than the machine has memory to train
   */
  finish(graph: Graph): Student {
    this.requireMemory();
    const initializers = new Map(graph.initializers);
    for (const [value, draw] of this.#undrawn)
      initializers.set(value, { type: 'float32', dims: value.shape as number[], data: draw() });
    this.#undrawn.clear();
    return { graph: { ...graph, initializers }, parameters: this.names };
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

  #parameter(name: string, dims: readonly number[], draw: () => Float32Array): TypedValue {
    const inherited = this.#inherited.get(this.#g.nameInScope(name));
    if (inherited && `${inherited.dims}` !== `${dims}`)
      throw new Error(`${name} has the sizes ${dims}, what it inherits ${inherited.dims}`);
    const value = this.#g.initializer(name, inherited ?? new UnwrittenTensor(dims));
    if (!inherited) this.#undrawn.set(value, draw);
    this.#elements += elementCount(dims);
    this.names.push(value.name);
    return value;
  }
}

function filled(dims: readonly number[], value: number): Float32Array {
  return new Float32Array(elementCount(dims)).fill(value);
}
