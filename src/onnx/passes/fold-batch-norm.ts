import {
  floatAttribute,
  type Graph,
  intAttribute,
  intsAttribute,
  type Node,
  stringAttribute,
  type Value,
} from '../graph.ts';
import { normalizesByBatch } from '../running-statistics.ts';
import type { Tensor } from '../tensor.ts';
import { usedValues } from '../used-values.ts';
import { type WeightLayout, weightLayout } from '../weight-layout.ts';

/**
 * Takes batch normalisations that use running statistics into the weights of the Conv, ConvTranspose, Gemm or MatMul
 * before them, or of the unpadded Conv, Gemm or MatMul after them, where nothing else reads what is between the two or
 * the weights. Answers stay the same but for rounding.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const folding = new Folding(graph);
  graph.nodes.forEach((node, index) => {
    if (node.domain === '' && node.opType === 'BatchNormalization') folding.fold(index);
  });
  return folding.graph();
}

/** y = scale x + shift for each channel: what a batch normalisation with running statistics is. */
interface Affine {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** A layer whose weights are constants that it alone reads. */
interface Layer {
  readonly node: Node;
  readonly weight: Tensor;
  readonly layout: WeightLayout;
  /** What it adds to each channel. */
  readonly bias: readonly number[];
}

class Folding {
  readonly #graph: Graph;
  readonly #nodes: (Node | null)[];
  readonly #initializers: Map<Value, Tensor>;
  /** Indices of nodes by what they give, and by what they read. */
  readonly #producers = new Map<Value, number>();
  readonly #readers = new Map<Value, number[]>();
  /** Values that the outside sees or sets. */
  readonly #interface: ReadonlySet<Value>;
  readonly #names: Set<string>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#nodes = [...graph.nodes];
    this.#initializers = new Map(graph.initializers);
    this.#interface = new Set([...graph.inputs, ...graph.outputs]);
    this.#names = new Set([...graph.inputs, ...graph.initializers.keys()].map(({ name }) => name));
    graph.nodes.forEach((node, index) => {
      for (const value of usedValues(node)) {
        this.#readers.set(value, [...(this.#readers.get(value) ?? []), index]);
      }
      for (const value of node.outputs) {
        if (!value) continue;
        this.#producers.set(value, index);
        this.#names.add(value.name);
      }
    });
  }

  /** Folds the normalisation at `index` into the layer before it, or else the one after it, where that is exact. */
  fold(index: number): void {
    const norm = this.#nodes[index] as Node;
    const [x, y] = [norm.inputs[0], norm.outputs[0]];
    const affine = this.#affineOf(norm);
    if (!affine || !x || !y) return;

    const before = this.#producers.get(x);
    const layerBefore = before !== undefined && this.#isBetween(x) ? this.#layerAt(before) : undefined;
    if (layerBefore && layerBefore.layout.outputs === affine.scale.length) {
      this.#replace(before as number, afterwards(layerBefore, affine), norm, { output: y });
      this.#producers.set(y, before as number);
      this.#nodes[index] = null;
      return;
    }
    const [after] = this.#readers.get(y) ?? [];
    const layerAfter = after !== undefined && this.#isBetween(y) ? this.#layerAt(after) : undefined;
    if (layerAfter?.node.inputs[0] === y && takesInputs(layerAfter.node)) {
      this.#replace(after, beforehand(layerAfter, affine), norm, { input: x });
      this.#readers.set(
        x,
        (this.#readers.get(x) ?? []).map((reader) => (reader === index ? after : reader)),
      );
      this.#nodes[index] = null;
    }
  }

  graph(): Graph {
    const nodes = this.#nodes.filter((node) => node !== null);
    if (nodes.length === this.#graph.nodes.length) return this.#graph;
    const used = new Set<Value>([...this.#graph.inputs, ...this.#graph.outputs]);
    for (const node of nodes) for (const value of usedValues(node)) used.add(value);
    const initializers = new Map([...this.#initializers].filter(([value]) => used.has(value)));
    return { ...this.#graph, nodes, initializers };
  }

  /** What a normalisation does to each channel, where all that it needs is constant. */
  #affineOf(norm: Node): Affine | undefined {
    if (normalizesByBatch(norm) || norm.outputs.slice(1).some((value) => value !== null)) return undefined;
    const constants = norm.inputs.slice(1, 5).map((value) => this.#numbersOf(value));
    const [gain, bias, mean, variance] = constants;
    if (!gain || !bias || !mean || !variance) return undefined;
    const epsilon = floatAttribute(norm, 'epsilon', 1e-5);
    const scale = gain.map((factor, i) => factor / Math.sqrt(variance[i] + epsilon));
    return { scale, shift: bias.map((value, i) => value - mean[i] * scale[i]) };
  }

  #layerAt(index: number): Layer | undefined {
    const node = this.#nodes[index] as Node;
    const [input, matrix, bias] = node.inputs;
    const weight = this.#constant(matrix);
    if (!input || !matrix || !weight || !isFloat(weight) || this.#readers.get(matrix)?.length !== 1)
      return undefined;
    // A product of more than two dimensions has its channels last, a normalisation has them second.
    if (node.opType === 'MatMul' && (weight.dims.length !== 2 || input.shape?.length !== 2)) return undefined;
    const layout = weightLayout(node, weight.dims);
    if (!layout || node.inputs.filter((value) => value === matrix).length !== 1) return undefined;
    const numbers = bias ? this.#numbersOf(bias) : [0];
    if (!numbers || (numbers.length !== 1 && numbers.length !== layout.outputs)) return undefined;
    // A Gemm may add a column, one number for each row.
    if (bias && layout.outputs !== 1 && numbers.length > 1 && bias.shape?.at(-1) === 1) return undefined;
    const beta = node.opType === 'Gemm' ? floatAttribute(node, 'beta', 1) : 1;
    const perChannel = Array.from(
      { length: layout.outputs },
      (_, i) => beta * numbers[numbers.length === 1 ? 0 : i],
    );
    return { node, weight, layout, bias: perChannel };
  }

  /** Puts a layer with new weights in the place of the one at `index`. */
  #replace(
    index: number,
    { node, weight, bias }: Layer,
    norm: Node,
    ends: { readonly input?: Value; readonly output?: Value },
  ): void {
    const [input, oldWeight, oldBias] = node.inputs;
    const name = [oldBias, norm.inputs[2]].find(
      (value) => value && this.#readers.get(value)?.length === 1,
    )?.name;
    const newWeight = { ...(oldWeight as Value) };
    this.#initializers.delete(oldWeight as Value);
    this.#initializers.set(newWeight, weight);
    const type = weight.type as 'float32' | 'float64';
    const data = type === 'float32' ? Float32Array.from(bias) : Float64Array.from(bias);
    const newBias: Value = {
      name: name ?? this.#fresh(`${newWeight.name}/bias`),
      type,
      shape: [bias.length],
    };
    this.#initializers.set(newBias, { type, dims: [bias.length], data });
    for (const value of [newWeight, newBias]) this.#readers.set(value, [index]);
    // A product of matrices with a bias is a Gemm.
    this.#nodes[index] = {
      ...node,
      opType: node.opType === 'MatMul' ? 'Gemm' : node.opType,
      inputs: [ends.input ?? input, newWeight, newBias],
      outputs: [ends.output ?? node.outputs[0]],
      attributes: new Map([...node.attributes].filter(([key]) => key !== 'beta')),
    };
  }

  /** Whether one node reads a value and nobody sees it. */
  #isBetween(value: Value): boolean {
    return this.#readers.get(value)?.length === 1 && !this.#interface.has(value);
  }

  #constant(value: Value | null | undefined): Tensor | undefined {
    return value && !this.#interface.has(value) ? this.#initializers.get(value) : undefined;
  }

  #numbersOf(value: Value | null | undefined): number[] | undefined {
    const tensor = this.#constant(value);
    return tensor && isFloat(tensor) ? Array.from(tensor.data as Float32Array) : undefined;
  }

  #fresh(stem: string): string {
    let name = stem;
    for (let count = 1; this.#names.has(name); count++) name = `${stem}_${count}`;
    this.#names.add(name);
    return name;
  }
}

/** The layer, then the affine map. */
function afterwards(layer: Layer, { scale, shift }: Affine): Layer {
  const { weight, layout, bias } = layer;
  return {
    ...layer,
    weight: scaled(weight, (element) => scale[layout.outputOf(element)]),
    bias: bias.map((value, i) => value * scale[i] + shift[i]),
  };
}

/** The affine map, then the layer. */
function beforehand(layer: Layer, { scale, shift }: Affine): Layer {
  const { node, weight, layout } = layer;
  const alpha = node.opType === 'Gemm' ? floatAttribute(node, 'alpha', 1) : 1;
  const bias = [...layer.bias];
  (weight.data as Float32Array).forEach((value, element) => {
    bias[layout.outputOf(element)] += alpha * value * shift[layout.inputOf(element)];
  });
  return { ...layer, weight: scaled(weight, (element) => scale[layout.inputOf(element)]), bias };
}

/** Whether every output of a layer sees all of its weights: then a shift of the inputs is a shift of the outputs. */
function takesInputs(node: Node): boolean {
  if (node.opType === 'MatMul') return true;
  if (node.opType === 'Gemm') return intAttribute(node, 'transA', 0) === 0;
  const padding = stringAttribute(node, 'auto_pad', 'NOTSET');
  const unpadded = (intsAttribute(node, 'pads') ?? []).every((size) => size === 0);
  return node.opType === 'Conv' && unpadded && (padding === 'NOTSET' || padding === 'VALID');
}

function scaled(weight: Tensor, factor: (element: number) => number): Tensor {
  const data = (weight.data as Float32Array).map((value, element) => value * factor(element));
  return { ...weight, data };
}

function isFloat({ type }: Tensor): boolean {
  return type === 'float32' || type === 'float64';
}
