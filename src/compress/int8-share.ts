import { type Graph, intAttribute, type Node, type Shape } from '../onnx/graph.ts';
import { quantizableLayers } from './quantizable-layers.ts';

/** Stands for sizes that the graph leaves open (batch, sequence): they are factors of most products alike. */
const OPEN_SIZE = 16;

/**
 * The share of a float32 graph's multiplications that run in int8 once `quantizeStatic` has quantised all layers but the
 * excluded ones, 0 to 1: of products of matrices and convolutions, which are nearly all multiplications of a network.
 * Undefined where the graph's shapes are not known.
 */
export function int8Share(graph: Graph, excluded: readonly string[] = []): number | undefined {
  const quantised = new Set(
    quantizableLayers(graph)
      .filter(({ kind, name }) => kind !== 'embedding' && !excluded.includes(name))
      .map(({ node }) => node),
  );
  let [all, int8] = [0, 0];
  for (const node of graph.nodes) {
    const count = multiplicationsOf(node);
    if (count === undefined) return undefined;
    all += count;
    if (quantised.has(node)) int8 += count;
  }
  return all === 0 ? undefined : int8 / all;
}

/** 0 for operators that are not products; undefined for a product of unknown shape. */
function multiplicationsOf(node: Node): number | undefined {
  const terms = TERMS[node.opType];
  if (!terms) return 0;
  const [a, b] = node.inputs.map((value) => value?.shape);
  const outputs = sizesOf(node.outputs[0]?.shape);
  const inner = terms(node, sizesOf(a), sizesOf(b));
  return outputs === undefined || inner === undefined ? undefined : product(outputs) * inner;
}

type Sizes = readonly number[] | undefined;

/** Factors that are added up for one element of the output. */
const TERMS: Readonly<Record<string, (node: Node, a: Sizes, b: Sizes) => number | undefined>> = {
  MatMul: (_node, a) => a?.at(-1),
  FusedMatMul: (node, a) => a?.at(intAttribute(node, 'transA', 0) === 1 ? -2 : -1),
  Gemm: (node, a) => a?.at(intAttribute(node, 'transA', 0) === 1 ? 0 : 1),
  Conv: (_node, _x, weight) => weight && product(weight.slice(1)),
  // Each element of the input is multiplied by the weights [I, O / groups, kernel...] of its channel.
  ConvTranspose: (_node, x, weight) => x && weight && product(weight.slice(1)),
};

function sizesOf(shape: Shape | undefined): Sizes {
  return shape?.map((size) => (typeof size === 'number' ? size : OPEN_SIZE));
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}
