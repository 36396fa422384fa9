import type { DataType } from './data-type.ts';
import { isFloat } from './data-type.ts';
import { type Graph, intAttribute, type Node, type Value } from './graph.ts';
import { operatorKey } from './shape-inference/rules.ts';
import { elementCount, type Tensor } from './tensor.ts';
import { unpackedHalves } from './unpacked-halves.ts';
import { subgraphsOf } from './used-values.ts';

/** Where an operator of a quantised model has scales and zero points, which are no parameters, by input. */
const GRIDS: Readonly<Record<string, readonly number[]>> = {
  QuantizeLinear: [1, 2],
  DequantizeLinear: [1, 2],
  'com.microsoft::QuantizeLinear': [1, 2],
  'com.microsoft::DequantizeLinear': [1, 2],
  MatMulInteger: [2, 3],
  ConvInteger: [2, 3],
  QLinearMatMul: [1, 2, 4, 5, 6, 7],
  QLinearConv: [1, 2, 4, 5, 6, 7],
  'com.microsoft::DynamicQuantizeMatMul': [2, 3],
  'com.microsoft::MatMulIntegerToFloat': [2, 3, 4, 5],
  'com.microsoft::QGemm': [1, 2, 4, 5, 7, 8],
  'com.microsoft::QAttention': [3, 4, 6, 7],
  'com.microsoft::QLinearAdd': [1, 2, 4, 5, 6, 7],
  'com.microsoft::QLinearMul': [1, 2, 4, 5, 6, 7],
  'com.microsoft::QLinearSigmoid': [1, 2, 3, 4],
  'com.microsoft::QLinearSoftmax': [1, 2, 3, 4],
  'com.microsoft::QLinearLeakyRelu': [1, 2, 3, 4],
  'com.microsoft::QLinearAveragePool': [1, 2, 3, 4],
  'com.microsoft::QLinearGlobalAveragePool': [1, 2, 3, 4],
  'com.microsoft::QEmbedLayerNormalization': [8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
  'com.microsoft::MatMulNBits': [2, 3, 4],
  'com.microsoft::GatherBlockQuantized': [2, 3],
  'com.microsoft::DynamicQuantizeLSTM': [8, 9, 10, 11],
};

/** Biases that are kept in 32 bits beside weights in 8: whole numbers that count where an operator reads them as such. */
const BIASES: Readonly<Record<string, readonly number[]>> = {
  DequantizeLinear: [0],
  QLinearConv: [8],
  'com.microsoft::QGemm': [6],
};

/**
 * The numbers that a model has learned: what is in its float tensors and, where it is quantised, in the weights that are
 * kept in whole numbers; a tensor that is read twice counts once. Scales and zero points say how the numbers are kept, and
 * are none.
 */
export function parameterCount(graph: Graph): number {
  const read: Readings = { grids: new Set(), biases: new Set(), packed: new Map() };
  readNodes(graph, read);
  const counted = new Map<Value, number>();
  const countIn = (part: Graph) => {
    for (const [value, content] of part.initializers) counted.set(value, numbersIn(value, content, read));
    for (const node of part.nodes) {
      const content = constantOf(node);
      if (content && node.outputs[0] && content.data.length > 1)
        counted.set(node.outputs[0], numbersIn(node.outputs[0], content, read));
      for (const inner of subgraphsOf(node)) countIn(inner);
    }
  };
  countIn(graph);
  return [...counted.values()].reduce((sum, numbers) => sum + numbers, 0);
}

/** What the nodes of a model read its tensors as. */
interface Readings {
  readonly grids: Set<Value>;
  readonly biases: Set<Value>;
  /** Tensors of bytes that hold several numbers each: how many numbers. */
  readonly packed: Map<Value, number>;
}

function readNodes(graph: Graph, read: Readings): void {
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes) for (const value of node.outputs) if (value) producers.set(value, node);
  for (const { levels, grids, numbers } of unpackedHalves(graph, producers)) {
    for (const grid of grids) read.grids.add(grid);
    read.packed.set(levels, numbers);
  }
  for (const node of graph.nodes) {
    const key = operatorKey(node.domain, node.opType);
    const mark = (set: Set<Value>, indices: readonly number[] = []) => {
      for (const index of indices) {
        const value = node.inputs[index];
        if (value) set.add(value);
      }
    };
    mark(read.grids, GRIDS[key]);
    mark(read.biases, BIASES[key]);
    if (key === 'Mul') mark(read.grids, scalesOfProduct(node, producers));
    if (key === 'Mul') for (const value of scalesOfLevels(graph, node, producers)) read.grids.add(value);
    const packed = numbersPacked(key, node);
    if (packed) read.packed.set(packed.value, packed.numbers);
    for (const inner of subgraphsOf(node)) readNodes(inner, read);
  }
}

/** The scales of weights, where they are multiplied with the one that a DynamicQuantizeLinear found. */
function scalesOfProduct(node: Node, producers: ReadonlyMap<Value, Node>): number[] {
  const isFound = (value: Value | null | undefined) => {
    const by = value && producers.get(value);
    return by?.opType === 'DynamicQuantizeLinear' && by.outputs[1] === value;
  };
  const [a, b] = node.inputs;
  if (isFound(a)) return [1];
  return isFound(b) ? [0] : [];
}

/** These choose among numbers, or lay them out in another way. */
const CHOOSING: ReadonlySet<string> = new Set(['Gather', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Scales that are multiplied with weights which were cast from whole numbers: of an embedding, by row. */
function scalesOfLevels(graph: Graph, node: Node, producers: ReadonlyMap<Value, Node>): Value[] {
  const origin = (from: Value | null | undefined, through: ReadonlySet<string>): Value | undefined => {
    let at = from ?? undefined;
    for (;;) {
      const by: Node | undefined = at && producers.get(at);
      if (!by || !through.has(by.opType)) return at;
      at = by.inputs[0] ?? undefined;
    }
  };
  const typeOf = (value: Value | undefined) => value && graph.initializers.get(value)?.type;
  const isLevels = (value: Value | null | undefined) => {
    const cast = value ? producers.get(value) : undefined;
    const type = cast?.opType === 'Cast' ? typeOf(origin(cast.inputs[0], CHOOSING)) : undefined;
    return type === 'int8' || type === 'uint8';
  };
  const [a, b] = node.inputs;
  const scale = isLevels(a) ? origin(b, CHOOSING) : isLevels(b) ? origin(a, CHOOSING) : undefined;
  return scale && graph.initializers.has(scale) ? [scale] : [];
}

function numbersPacked(key: string, node: Node): { value: Value; numbers: number } | undefined {
  const bits = intAttribute(node, 'bits', 4);
  if (key === 'com.microsoft::MatMulNBits' && node.inputs[1])
    return { value: node.inputs[1], numbers: intAttribute(node, 'K', 0) * intAttribute(node, 'N', 0) };
  const table = node.inputs[0];
  if (key !== 'com.microsoft::GatherBlockQuantized' || !table?.shape) return undefined;
  const elements = elementCount(table.shape.map(Number));
  return { value: table, numbers: table.type === 'uint8' ? (elements * 8) / bits : elements };
}

const WEIGHTS: ReadonlySet<DataType> = new Set(['int8', 'uint8', 'int16', 'uint16']);

function numbersIn(value: Value, { type, dims }: Tensor, { grids, biases, packed }: Readings): number {
  const inBytes = packed.get(value);
  if (inBytes !== undefined) return inBytes;
  if (grids.has(value)) return 0;
  const counts = isFloat(type) || WEIGHTS.has(type) || (type === 'int32' && biases.has(value));
  return counts ? elementCount(dims) : 0;
}

function constantOf({ opType, domain, attributes }: Node): Tensor | undefined {
  const value = attributes.get('value');
  return domain === '' && opType === 'Constant' && value?.kind === 'tensor' ? value.value : undefined;
}
