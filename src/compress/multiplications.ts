import { type Graph, intAttribute, type Node, type Shape } from '../onnx/graph.ts';

/** Stands for sizes that the graph leaves open (batch, sequence): they are factors of most products alike. */
const OPEN_SIZE = 16;

/**
 * How many products of numbers a graph computes for one sample, in products of matrices and convolutions, which are nearly
 * all of a network. Undefined where the graph's shapes are not known.
 */
export function multiplicationsIn(graph: Graph): number | undefined {
  let sum = 0;
  for (const node of graph.nodes) {
    const count = multiplicationsOf(node, { batch: 1 });
    if (count === undefined) return undefined;
    sum += count;
  }
  return sum;
}

/** 0 for operators that are not products; undefined for a product of unknown shape. Sizes that are open and not given are 16. */
export function multiplicationsOf(
  node: Node,
  sizes: Readonly<Record<string, number>> = {},
): number | undefined {
  const count = COUNTS[node.opType];
  if (!count) return 0;
  const known = (shape: Shape | undefined) =>
    shape?.map((size) => (typeof size === 'number' ? size : (sizes[size] ?? OPEN_SIZE)));
  const [a, b] = node.inputs.map((value) => known(value?.shape));
  return count(node, a, b, known(node.outputs[0]?.shape));
}

type Sizes = readonly number[] | undefined;
type Count = (node: Node, a: Sizes, b: Sizes, output: Sizes) => number | undefined;

/** Of so many factors for each element of the output. */
const ofEach =
  (factors: (node: Node, a: Sizes, b: Sizes) => number | undefined): Count =>
  (node, a, b, output) => {
    const each = factors(node, a, b);
    return output === undefined || each === undefined ? undefined : product(output) * each;
  };

const COUNTS: Readonly<Record<string, Count>> = {
  MatMul: ofEach((_node, a) => a?.at(-1)),
  FusedMatMul: ofEach((node, a) => a?.at(intAttribute(node, 'transA', 0) === 1 ? -2 : -1)),
  Gemm: ofEach((node, a) => a?.at(intAttribute(node, 'transA', 0) === 1 ? 0 : 1)),
  Conv: ofEach((_node, _x, weight) => weight && product(weight.slice(1))),
  // Each element of the input is multiplied by the weights [I, O / groups, kernel...] of its channel.
  ConvTranspose: (_node, x, weight) => x && weight && product(x) * product(weight.slice(1)),
};

function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}
