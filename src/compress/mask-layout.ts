import type { Graph, Value } from '../onnx/graph.ts';
import { sourcesOf } from '../onnx/graph-sources.ts';
import { elementCount } from '../onnx/tensor.ts';

/** How many elements of a value with these sizes belong to one position of a mask; undefined where the mask says nothing of them. */
export type ElementsPerPosition = (mask: readonly number[], dims: readonly number[]) => number | undefined;

/**
 * How a value lies to the positions of a mask [B, T] that a graph has as an input: [B, T, ...], or flattened, [B * T, ...]. Where
 * its axes come from is told by the names of sizes; what has as many heads, patches or channels as a batch has tokens is not
 * masked. Sizes are compared only where the graph has no names for them, of values that are computed from the tokens.
 */
export function maskLayout(graph: Graph, maskName: string, value: Value): ElementsPerPosition {
  const mask = graph.inputs.find(({ name }) => name === maskName)?.shape;
  // A graph may have dropped the mask that its feeds have.
  if (!mask) return bySizes;
  const layout = namedLayout(graph, mask, value);
  if (layout === 'other') return () => undefined;
  if (layout === 'leads') return (sizes, dims) => elementCount(dims) / elementCount(sizes);
  return isOfTokens(graph, mask, value) ? bySizes : () => undefined;
}

/** What the names of sizes tell; undefined where that is not enough. */
function namedLayout(
  { inputs }: Graph,
  mask: NonNullable<Value['shape']>,
  { shape }: Value,
): 'leads' | 'other' | undefined {
  if (!shape || !mask.every((size) => typeof size === 'string')) return undefined;
  if (mask.length <= shape.length && mask.every((size, i) => size === shape[i])) return 'leads';
  // Names of inputs are known sizes; those that were made for what a graph computes may be anything.
  const known = new Set(inputs.flatMap((input) => input.shape ?? []));
  const differs = (size: unknown, i: number) =>
    size !== mask[i] && (typeof size === 'number' || known.has(size as string));
  const mayLead = mask.length <= shape.length && !mask.some((_, i) => differs(shape[i], i));
  const [first, ...others] = shape;
  // Where the tokens have an axis of their own, the first one is not theirs: [B * heads, T, ...].
  const mayBeFlat = first !== undefined && !differs(first, -1) && !others.includes(mask.at(-1) as string);
  return mayLead || mayBeFlat ? undefined : 'other';
}

/** Whether a value is computed from an input that has a place for each position. */
function isOfTokens({ inputs, nodes }: Graph, mask: NonNullable<Value['shape']>, value: Value): boolean {
  const tokens = inputs.filter(
    ({ shape }) => shape && shape.length >= mask.length && mask.every((size, i) => size === shape[i]),
  );
  const sources = sourcesOf(nodes, value);
  return tokens.some((input) => sources.has(input));
}

const bySizes: ElementsPerPosition = (mask, dims) => {
  const positions = elementCount(mask);
  const leads = mask.length <= dims.length && mask.every((dim, i) => dim === dims[i]);
  if (!leads && !(mask.length > 1 && dims[0] === positions)) return undefined;
  return elementCount(dims) / positions;
};
