import { LimbeckError } from '../errors.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { elementCount, float32, type Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import { type FakeAffine, FakeNumbers } from './fake-numbers.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { type AffineParameters, affineUint8 } from './int8.ts';
import { type IntegerRegion, type IntegerSum, integerRegion } from './integer-region.ts';
import type { TrainedQuantization } from './kept-quantization.ts';
import { LearntSteps } from './learnt-steps.ts';
import type {
  ConvolutionLayer,
  EmbeddingLayer,
  LinearLayer,
  QuantizableLayer,
} from './quantizable-layers.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { LARGEST_BIAS } from './quantize-convolution.ts';
import { type QuantizeOptions, rewriteLayers, valuesToCalibrate } from './quantize-static.ts';
import { type WeightForm, weightForm } from './weight-form.ts';

export interface FakeQuantizeOptions extends QuantizeOptions {
  /** Where the values of `valuesToCalibrate` begin: [low, high] by name. */
  readonly ranges: ReadonlyMap<string, readonly [number, number]>;
  /**
   * `observed`: ranges follow the batches' (moving averages of least and largest) for so many steps, then stay.
   * `learnt`: step sizes of activations and weights are trained (LSQ).
   */
  readonly steps:
    | { readonly kind: 'observed'; readonly momentum: number; readonly freezeAfter: number }
    | { readonly kind: 'learnt' };
}

/** A value, and the one that it is rounded to. */
export interface RoundedValue {
  readonly kind: 'activation' | 'weight';
  /** The layer that it belongs to. */
  readonly layer: string;
  readonly exact: string;
  readonly rounded: string;
}

export interface FakeQuantizedStudent {
  /** With the same inputs, outputs and weights, and what its quantisation carries from step to step. */
  readonly student: Student;
  readonly rounded: readonly RoundedValue[];
  /** Names of the ranges that a training changes, and the layer that each belongs to. */
  readonly observers: ReadonlyMap<string, string>;
  /** What a training made of scales and zero points: for `quantizeStatic`. */
  trained(contents: ReadonlyMap<string, Float32Array>): TrainedQuantization;
}

/** Levels of an embedding table (`Int8Weights.emitEmbedding`). */
const TABLE_LEVELS = 127;

/**
 * A student whose values are rounded as in the int8 file that `quantizeStatic` makes of it: the same layers, regions and
 * roundings, in float32, with gradients that go straight through where the range is not left (Jacob et al., "Quantization
 * and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018).
 *
 * Learnt steps are those of "Learned Step Size Quantization" (Esser et al., arXiv 1902.08153), as a factor of what they
 * began as, so that an optimizer like Adam changes large and small ones by the same part.
 *
 * @param student in the form that ships: batch normalisations folded, nothing dropped
 * @throws LimbeckError `export.calibration` for a value that calibration saw one number of, or no number, or nothing; and
 *   what `quantizeStatic` throws for its options
 */
export function fakeQuantize(student: Student, options: FakeQuantizeOptions): FakeQuantizedStudent {
  const { graph } = student;
  requireRanges(graph, options);
  const rewriter = new GraphRewriter(graph);
  const fake = new FakeQuantizer(graph, rewriter, options);
  const rewritten = rewriteLayers(graph, rewriter, options, {
    layer: (layer) => fake.layer(layer),
    between: (node) => fake.between(node),
    taken: fake.taken,
  });
  return {
    student: {
      graph: rewritten,
      parameters: [...student.parameters, ...fake.learnt.names],
      statistics: fake.statistics,
    },
    rounded: fake.rounded,
    observers: fake.observers,
    trained: (contents) => fake.trained(contents),
  };
}

function requireRanges(graph: Graph, options: FakeQuantizeOptions): void {
  const layers = quantizableLayers(graph).filter(({ name }) => !options.exclude?.includes(name));
  const layerOf = new Map<string, string>();
  for (const layer of layers) {
    layerOf.set(layer.output.name, layer.name);
    if (layer.kind !== 'embedding') layerOf.set(layer.input.name, layer.name);
  }
  for (const name of valuesToCalibrate(graph, options)) {
    const [low, high] = options.ranges.get(name) ?? missing(name);
    const where = `layer '${layerOf.get(name) ?? name}', value '${name}'`;
    if (!Number.isFinite(low) || !Number.isFinite(high)) throw notFinite(where, low, high);
    if (low === high) {
      throw new LimbeckError(
        'export.calibration',
        `all that int8 was calibrated on makes ${low} of a value`,
        {
          where,
          remedy:
            'A layer that always answers the same teaches int8 nothing, and is of no use: train it longer, or make the student smaller.',
        },
      );
    }
  }
}

function missing(name: string): never {
  throw new LimbeckError('export.calibration', `'${name}' has not been calibrated`, {
    remedy: 'Calibrate all of valuesToCalibrate(graph, options), with the options that quantise.',
  });
}

/** A range that is no number. */
export function notFinite(where: string, low: number, high: number): LimbeckError {
  return new LimbeckError('export.calibration', `the observed range of a value is ${low} to ${high}`, {
    where,
    remedy: 'Lower training.optimizer.learningRate: weights have grown beyond all numbers.',
  });
}

class FakeQuantizer {
  readonly rounded: RoundedValue[] = [];
  readonly statistics: { value: string; next: string }[] = [];
  readonly observers = new Map<string, string>();
  readonly learnt: LearntSteps;
  readonly taken: readonly Node[];
  readonly #graph: Graph;
  readonly #rewriter: GraphRewriter;
  readonly #numbers: FakeNumbers;
  readonly #options: FakeQuantizeOptions;
  readonly #form: WeightForm;
  readonly #region: IntegerRegion;
  /** What stands for a value where int8 layers read it. */
  readonly #made = new Map<Value, { value: Value; affine: FakeAffine }>();
  readonly #weights = new Map<Value, { value: Value; scale: Value }>();
  readonly #scalesOf: ((contents: ReadonlyMap<string, Float32Array>, into: MutableQuantization) => void)[] =
    [];
  #rate: Value | undefined;

  constructor(graph: Graph, rewriter: GraphRewriter, options: FakeQuantizeOptions) {
    this.#graph = graph;
    this.#rewriter = rewriter;
    this.#options = options;
    this.#numbers = new FakeNumbers(rewriter, graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 18);
    this.learnt = new LearntSteps(rewriter, this.#numbers);
    this.#form = weightForm(options);
    const convolutions = quantizableLayers(graph).filter(
      (layer): layer is ConvolutionLayer =>
        layer.kind === 'convolution' && !options.exclude?.includes(layer.name),
    );
    this.#region = integerRegion(graph, convolutions);
    this.taken = [...this.#region.sums.values()].flatMap(({ relu }) => relu ?? []);
  }

  layer(layer: QuantizableLayer): boolean {
    if (layer.kind === 'embedding') this.#embedding(layer);
    else if (layer.kind === 'convolution') this.#convolution(layer);
    else this.#linear(layer);
    return true;
  }

  /** A sum or a pooling between int8 convolutions. */
  between(node: Node): boolean {
    const sum = this.#region.sums.get(node);
    if (sum) this.#sum(sum);
    else if (this.#region.passing.has(node)) {
      const [input, ...settings] = node.inputs as [Value, ...Value[]];
      const { value, affine } = this.#activation(input, node.name);
      this.#rewriter.keep(node, [value, ...settings]);
      const output = node.outputs[0] as Value;
      this.#made.set(output, { value: output, affine });
    } else return false;
    return true;
  }

  trained(contents: ReadonlyMap<string, Float32Array>): TrainedQuantization {
    const into: MutableQuantization = { activations: new Map(), weights: new Map() };
    for (const read of this.#scalesOf) read(contents, into);
    return into;
  }

  #convolution(layer: ConvolutionLayer): void {
    const { node, name, output, relu } = layer;
    const x = this.#activation(layer.input, name);
    const dims = this.#content(layer.weight).dims;
    const least = layer.bias && this.#leastScale(layer.bias, x.affine.scale, dims.length);
    const weight = this.#weight(layer.weight, name, 0, least);
    const inputs = [x.value, weight.value];
    if (layer.bias) {
      const size = this.#form.scales === 'tensor' ? 1 : (dims[0] as number);
      const flat = this.#numbers.op(
        'Reshape',
        [weight.scale, this.#numbers.integers([size])],
        `${layer.weight.name}/flat_scale`,
        [size],
      );
      const factor = this.#numbers.op('Mul', [flat, x.affine.scale], `${layer.bias.name}/scale`, [size]);
      inputs.push(this.#numbers.bias(layer.bias, this.#numbers.stopped(factor)));
    }
    const product = this.#copy(node, inputs, relu ? (node.outputs[0] as Value) : output);
    this.#requantize(product, output, name, relu !== undefined);
  }

  #sum({ node, output, relu }: IntegerSum): void {
    const inputs = (node.inputs as Value[]).map((value) => this.#activation(value, node.name).value);
    this.#requantize(this.#copy(node, inputs, output), output, node.name, relu !== undefined);
  }

  #linear(layer: LinearLayer): void {
    const { node, name, biasNode, transposed } = layer;
    const x = this.#activation(layer.input, name);
    const weight = this.#weight(layer.weight, name, transposed ? 0 : 1);
    this.#rewriter.keep(node, [x.value, weight.value, ...node.inputs.slice(2)]);
    if (biasNode) this.#rewriter.keep(biasNode, biasNode.inputs);
  }

  #embedding({ node, name, output }: EmbeddingLayer): void {
    const numbers = this.#numbers;
    const rows = this.#copy(node, node.inputs as Value[], output);
    const axis = (output.shape?.length ?? 0) - 1;
    const largest = numbers.largestSize(rows, [axis], output.name);
    const step = numbers.op(
      'Div',
      [largest, numbers.scalar(TABLE_LEVELS)],
      `${output.name}/row_step`,
      largest.shape,
    );
    const scale = numbers.stopped(numbers.usable(step, output.name));
    const places = numbers.op('Div', [rows, scale], `${output.name}/row_places`, output.shape);
    this.#rewriter.emit('Mul', [numbers.rounded(places, output.name), scale], output);
    this.rounded.push({ kind: 'weight', layer: name, exact: rows.name, rounded: output.name });
  }

  /** A value as an int8 layer reads it: rounded once, however many read it. */
  #activation(value: Value, layer: string): { value: Value; affine: FakeAffine } {
    let made = this.#made.get(value);
    if (!made) {
      const affine = this.#affine(value, value, layer, false);
      const target = { name: `${value.name}/fake`, type: 'float32' as const, shape: value.shape };
      made = { value: this.#numbers.activation(value, affine, target), affine };
      this.#made.set(value, made);
      this.rounded.push({ kind: 'activation', layer, exact: value.name, rounded: made.value.name });
    }
    return made;
  }

  /** Rounds what a layer gives; a Relu after it disappears, for its levels begin at zero. */
  #requantize(product: Value, output: Value, layer: string, isPositive: boolean): void {
    const affine = this.#affine(output, product, layer, isPositive);
    this.#numbers.activation(product, affine, output);
    this.#made.set(output, { value: output, affine });
    this.rounded.push({ kind: 'activation', layer, exact: product.name, rounded: output.name });
  }

  /** Scale and zero point of `value`, whose elements are those of `seen`. */
  #affine({ name, shape }: Value, seen: Value, layer: string, isPositive: boolean): FakeAffine {
    const numbers = this.#numbers;
    const { steps, ranges } = this.#options;
    const [from, high] = ranges.get(name) as readonly [number, number];
    const low = isPositive ? 0 : from;
    const first = affineUint8(low, high);
    if (steps.kind === 'learnt') {
      const counts = (shape ?? []).slice(1).map((dim) => (typeof dim === 'number' ? dim : 1));
      const learnt = this.learnt.step(name, float32([first.scale], []), elementCount(counts), 255);
      this.#scalesOf.push((contents, { activations }) => {
        activations.set(name, { scale: learnt.read(contents)[0] as number, zeroPoint: first.zeroPoint });
      });
      return { scale: learnt.scale, zeroPoint: numbers.scalar(first.zeroPoint) };
    }
    const ends = [low, high].map((end, i) => {
      const constant = steps.freezeAfter === 0 || (i === 0 && isPositive);
      const stem = `quantisation/${name}/${i === 0 ? 'low' : 'high'}`;
      const value = this.#rewriter.initializer(stem, float32([end], []));
      if (!constant) {
        const extreme = numbers.reduce(
          i === 0 ? 'ReduceMin' : 'ReduceMax',
          seen,
          undefined,
          `${stem}/batch`,
          [],
        );
        const step = numbers.op(
          'Mul',
          [this.#observing(), numbers.op('Sub', [extreme, value], `${stem}/off`, [])],
          `${stem}/change`,
          [],
        );
        const next = numbers.op('Add', [value, step], `${stem}/next`, []);
        this.statistics.push({ value: value.name, next: next.name });
        this.observers.set(value.name, layer);
      }
      return value;
    }) as [Value, Value];
    this.#scalesOf.push((contents, { activations }) => {
      const [least, most] = ends.map((end, i) => contents.get(end.name)?.[0] ?? ([low, high][i] as number));
      activations.set(name, affineUint8(least as number, most as number));
    });
    return numbers.affine(ends[0], ends[1], `quantisation/${name}`);
  }

  /** How far ranges follow a batch in this step: not at all once enough steps were seen. */
  #observing(): Value {
    const { steps } = this.#options;
    if (steps.kind !== 'observed') throw new Error('learnt steps observe nothing');
    if (!this.#rate) {
      const numbers = this.#numbers;
      const seen = this.#rewriter.initializer('quantisation/steps', float32([0], []));
      const next = numbers.op('Add', [seen, numbers.scalar(1)], 'quantisation/steps/next', []);
      this.statistics.push({ value: seen.name, next: next.name });
      const isOpen = this.#rewriter.emit('Less', [seen, numbers.scalar(steps.freezeAfter)], {
        name: 'quantisation/observing',
        type: 'bool',
        shape: [],
      });
      const rates = [numbers.scalar(1 - steps.momentum), numbers.scalar(0)];
      this.#rate = numbers.op('Where', [isOpen, ...rates], 'quantisation/rate', []);
    }
    return this.#rate;
  }

  /** Weights as the file has them; layers that share them share this. `axis` is that of the output channels. */
  #weight(weight: Value, layer: string, axis: number, least?: Value): { value: Value; scale: Value } {
    let made = this.#weights.get(weight);
    if (!made) {
      const numbers = this.#numbers;
      const { levels, scales } = this.#form;
      const { dims } = this.#content(weight);
      const axes = dims.map((_, i) => i).filter((i) => scales === 'tensor' || i !== axis);
      const { name } = weight;
      if (this.#options.steps.kind === 'learnt') {
        const first = this.#largest(weight, axes);
        const learnt = this.learnt.step(
          name,
          { ...first, data: (first.data as Float32Array).map((most) => usableScale(most / levels)) },
          elementCount(dims) / elementCount(first.dims),
          levels,
        );
        this.#scalesOf.push((contents, into) => into.weights.set(name, learnt.read(contents)));
        made = { value: numbers.weight(weight, learnt.scale, [-levels, levels], name), scale: learnt.scale };
      } else {
        const largest = numbers.largestSize(weight, axes, name);
        let step = numbers.op('Div', [largest, numbers.scalar(levels)], `${name}/step`, largest.shape);
        if (least) {
          const least_ = scales === 'tensor' ? numbers.largestSize(least, axes, `${name}/least`) : least;
          step = numbers.op('Max', [step, least_], `${name}/wide_step`, largest.shape);
        }
        const scale = numbers.stopped(numbers.usable(step, name));
        made = { value: numbers.weight(weight, scale, undefined, name), scale };
      }
      this.#weights.set(weight, made);
      this.rounded.push({ kind: 'weight', layer, exact: name, rounded: made.value.name });
    }
    return made;
  }

  /** The scale below which a bias would leave no room for sums, [outputs, 1, ...]: see `ConvolutionEmitter`. */
  #leastScale(bias: Value, inputScale: Value, rank: number): Value {
    const numbers = this.#numbers;
    const { name, shape } = bias;
    const sizes = numbers.op('Abs', [bias], `${name}/sizes`, shape);
    const room = numbers.op('Mul', [inputScale, numbers.scalar(LARGEST_BIAS)], `${name}/room`, []);
    const least = numbers.op('Div', [sizes, room], `${name}/least`, shape);
    const dims = [-1, ...Array.from({ length: rank - 1 }, () => 1)];
    const count = shape?.[0] ?? 1;
    return numbers.op('Reshape', [least, numbers.integers(dims)], `${name}/least_scale`, [
      count,
      ...dims.slice(1),
    ]);
  }

  /** The largest size of weights along some axes, which stay with size 1. */
  #largest(weight: Value, axes: readonly number[]): Tensor {
    const { dims, data } = this.#content(weight);
    const kept = dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const most = new Float32Array(elementCount(kept));
    const inner = (axis: number) => elementCount(dims.slice(axis + 1));
    const axis = dims.findIndex((_, i) => !axes.includes(i));
    (data as Float32Array).forEach((value, i) => {
      const group = axis < 0 ? 0 : Math.floor(i / inner(axis)) % (dims[axis] as number);
      most[group] = Math.max(most[group] as number, Math.abs(value));
    });
    return float32(most, kept);
  }

  /** The same node over other inputs, with a new output. */
  #copy(node: Node, inputs: readonly Value[], { name, shape }: Value): Value {
    return this.#rewriter.copy(node, inputs, { name: `${name}/exact`, type: 'float32', shape });
  }

  #content(value: Value): Tensor {
    const content = this.#graph.initializers.get(value);
    if (!content) throw new Error(`'${value.name}' is no constant`);
    return content;
  }
}

interface MutableQuantization {
  readonly activations: Map<string, AffineParameters>;
  readonly weights: Map<string, Float32Array>;
}

function usableScale(scale: number): number {
  return scale >= 2 ** -126 ? scale : 1;
}
