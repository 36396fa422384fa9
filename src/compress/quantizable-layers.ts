import { floatAttribute, type Graph, intAttribute, type Node, type Value } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';

/** A product with constant weights: y = x W (+ b). */
export interface LinearLayer {
  readonly kind: 'linear';
  /** See `quantizableLayers`. */
  readonly name: string;
  readonly node: Node;
  /** The Add of a constant bias right after a MatMul, which the layer takes in. */
  readonly biasNode: Node | undefined;
  readonly input: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
  /** What the layer gives: the node's output or, with `biasNode`, that one's. */
  readonly output: Value;
  /** The weights are [N, K] and used transposed. */
  readonly transposed: boolean;
  /** Factors of the product and of the bias (Gemm). */
  readonly alpha: number;
  readonly beta: number;
}

/** Rows of a constant table, looked up by index. */
export interface EmbeddingLayer {
  readonly kind: 'embedding';
  /** See `quantizableLayers`. */
  readonly name: string;
  readonly node: Node;
  readonly weight: Value;
  readonly indices: Value;
  readonly output: Value;
}

/** A convolution with constant weights: plain, grouped or depthwise. */
export interface ConvolutionLayer {
  readonly kind: 'convolution';
  /** See `quantizableLayers`. */
  readonly name: string;
  readonly node: Node;
  readonly input: Value;
  /** float32 [O, I / groups, kernel...]. */
  readonly weight: Value;
  /** float32 [O]. */
  readonly bias: Value | undefined;
  /** The Relu (or ReLU6) right after it, which the layer takes in: unsigned levels from zero up are its output already. */
  readonly relu: Node | undefined;
  /** What the layer gives: the node's output or, with `relu`, that one's. */
  readonly output: Value;
}

export type QuantizableLayer = LinearLayer | EmbeddingLayer | ConvolutionLayer;

/**
 * The layers of a graph that int8 is made for, in the order of its nodes. A layer is called as its weights are
 * (`convolution/weight`), for that is the name that a person knows; as its node, where weights are shared or an
 * exporter numbered them (`onnx::MatMul_345`).
 */
export function quantizableLayers(graph: Graph): QuantizableLayer[] {
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const value of usedValues(node)) consumers.set(value, [...(consumers.get(value) ?? []), node]);
  }
  const outputs = new Set(graph.outputs);
  const constant = (value: Value | null | undefined): Tensor | undefined =>
    value ? graph.initializers.get(value) : undefined;

  const linear = (node: Node): LinearLayer | undefined => {
    const [input, weight, bias] = node.inputs;
    const output = node.outputs[0];
    const matrix = constant(weight);
    if (!input || !weight || !output || matrix?.type !== 'float32' || matrix.dims.length !== 2)
      return undefined;
    if (constant(input) || intAttribute(node, 'transA', 0) !== 0) return undefined;
    const transposed = intAttribute(node, 'transB', 0) !== 0;
    const layer = {
      kind: 'linear' as const,
      name: node.name,
      node,
      input,
      weight,
      transposed,
      alpha: floatAttribute(node, 'alpha', 1),
      beta: floatAttribute(node, 'beta', 1),
    };
    if (bias) {
      const width = matrix.dims[transposed ? 0 : 1];
      return isBias(constant(bias), width) ? { ...layer, biasNode: undefined, bias, output } : undefined;
    }
    const next = outputs.has(output) ? [] : (consumers.get(output) ?? []);
    const sum = next.length === 1 && next[0].opType === 'Add' ? next[0] : undefined;
    const addend = sum?.inputs.find((value) => value !== output);
    const total = sum?.outputs[0];
    if (sum && addend && total && isBias(constant(addend), matrix.dims[transposed ? 0 : 1])) {
      return { ...layer, biasNode: sum, bias: addend, output: total };
    }
    return { ...layer, biasNode: undefined, bias: undefined, output };
  };

  const embedding = (node: Node): EmbeddingLayer | undefined => {
    const [weight, indices] = node.inputs;
    const output = node.outputs[0];
    const table = constant(weight);
    if (!weight || !indices || !output || table?.type !== 'float32' || table.dims.length !== 2)
      return undefined;
    // A table of single numbers (scales, biases) would grow by a scale per number.
    if (intAttribute(node, 'axis', 0) !== 0 || table.dims[1] < 2 || constant(indices)) return undefined;
    return { kind: 'embedding', name: node.name, node, weight, indices, output };
  };

  const convolution = (node: Node): ConvolutionLayer | undefined => {
    const [input, weight, bias] = node.inputs;
    const output = node.outputs[0];
    const kernel = constant(weight);
    if (!input || !weight || !output || kernel?.type !== 'float32' || kernel.dims.length < 3)
      return undefined;
    if (constant(input) || (bias && constant(bias)?.type !== 'float32')) return undefined;
    const relu = soleRelu(output, consumers, outputs, graph.initializers);
    const base = { kind: 'convolution' as const, name: node.name, node, input, weight };
    return { ...base, bias: bias ?? undefined, relu, output: relu?.outputs[0] ?? output };
  };

  const layers: QuantizableLayer[] = [];
  for (const node of graph.nodes) {
    const isStandard = node.domain === '' || node.domain === 'ai.onnx';
    let layer: QuantizableLayer | undefined;
    if (isStandard && node.opType === 'Gather') layer = embedding(node);
    else if (isStandard && node.opType === 'Conv') layer = convolution(node);
    else if (isStandard && (node.opType === 'MatMul' || node.opType === 'Gemm')) layer = linear(node);
    else if (node.domain === 'com.microsoft' && node.opType === 'FusedMatMul' && isPlainFused(node))
      layer = linear(node);
    if (layer) layers.push(layer);
  }
  return layers.map((layer) => {
    const shared = layers.some((other) => other !== layer && other.weight === layer.weight);
    return shared || layer.weight.name.includes('::') ? layer : { ...layer, name: layer.weight.name };
  });
}

/** The Relu that alone reads a value, or the Clip from zero up (ReLU6): the levels of its output end where it does. */
export function soleRelu(
  value: Value,
  consumers: ReadonlyMap<Value, readonly Node[]>,
  outputs: ReadonlySet<Value>,
  initializers: Graph['initializers'],
): Node | undefined {
  const [next, ...others] = outputs.has(value) ? [] : (consumers.get(value) ?? []);
  if (next?.domain !== '' || others.length > 0) return undefined;
  return next.opType === 'Relu' || (next.opType === 'Clip' && clipsFromZero(next, initializers))
    ? next
    : undefined;
}

function clipsFromZero({ inputs }: Node, initializers: Graph['initializers']): boolean {
  const [, low, high] = inputs;
  const least = low && initializers.get(low);
  return least?.data[0] === 0 && (!high || initializers.has(high));
}

/** A bias that every row gets: [N], or [1, N] as Gemm allows. */
function isBias(bias: Tensor | undefined, width: number): boolean {
  if (bias?.type !== 'float32' || bias.data.length !== width) return false;
  return bias.dims[bias.dims.length - 1] === width && bias.dims.length <= 2;
}

/** FusedMatMul can also swap batch axes, which a matrix of weights has none of. */
function isPlainFused(node: Node): boolean {
  return intAttribute(node, 'transBatchA', 0) === 0 && intAttribute(node, 'transBatchB', 0) === 0;
}
