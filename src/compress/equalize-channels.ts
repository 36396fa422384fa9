import { type Graph, intAttribute, type Node, type Value } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';

/** Passes over all pairs: each evens out what its neighbours have moved. */
const PASSES = 4;

/** Two convolutions, the second of which alone reads the first, with nothing or a Relu between. */
interface Pair {
  readonly first: Node;
  readonly second: Node;
}

/**
 * The graph with the ranges of channels evened out between convolutions that follow each other: outputs of the first are
 * divided by s, inputs of the second multiplied by it, with s = sqrt(r1 / r2) of a channel's largest weights. A Relu between
 * them lets positive factors through, so the answers stay the same up to rounding, while one scale fits all channels better.
 *
 * Nagel, van Baalen, Blankevoort and Welling, "Data-Free Quantization Through Weight Equalization and Bias Correction"
 * (arXiv 1906.04721), section 4.1.
 */
export function equalized(graph: Graph): Graph {
  const pairs = pairsIn(graph);
  if (pairs.length === 0) return graph;
  const contents = new Map<Value, Float32Array>();
  const dataOf = (value: Value): Float32Array => {
    let data = contents.get(value);
    if (!data) {
      data = ((graph.initializers.get(value) as Tensor).data as Float32Array).slice();
      contents.set(value, data);
    }
    return data;
  };
  for (let pass = 0; pass < PASSES; pass++)
    for (const pair of pairs) equalizePair(pair, (value) => graph.initializers.get(value) as Tensor, dataOf);
  const initializers = [...graph.initializers].map(([value, content]): [Value, Tensor] => {
    const data = contents.get(value);
    return [value, data ? { ...content, data } : content];
  });
  return { ...graph, initializers: new Map(initializers) };
}

function pairsIn(graph: Graph): Pair[] {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const value of usedValues(node)) readers.set(value, [...(readers.get(value) ?? []), node]);
  const outputs = new Set(graph.outputs);
  const soleReader = (value: Value | null | undefined) => {
    const found = value && !outputs.has(value) ? readers.get(value) : undefined;
    return found?.length === 1 ? found[0] : undefined;
  };
  const isOwn = (value: Value | null | undefined) =>
    value != null && readers.get(value)?.length === 1 && graph.initializers.get(value)?.type === 'float32';
  const isConvolution = ({ opType, domain, inputs }: Node) =>
    opType === 'Conv' && domain === '' && isOwn(inputs[1]) && (!inputs[2] || isOwn(inputs[2]));
  return graph.nodes.filter(isConvolution).flatMap((first): Pair[] => {
    let second = soleReader(first.outputs[0]);
    if (second?.opType === 'Relu' && second.domain === '') second = soleReader(second.outputs[0]);
    return second && isConvolution(second) ? [{ first, second }] : [];
  });
}

function equalizePair(
  { first, second }: Pair,
  tensorOf: (value: Value) => Tensor,
  dataOf: (value: Value) => Float32Array,
): void {
  const [, ownWeight, bias] = first.inputs as readonly (Value | undefined)[];
  const nextWeight = second.inputs[1] as Value;
  const [own, next] = [dataOf(ownWeight as Value), dataOf(nextWeight)];
  const [channels = 0] = tensorOf(ownWeight as Value).dims;
  const [outputs = 0, perGroup = 0] = tensorOf(nextWeight).dims;
  const groups = intAttribute(second, 'group', 1);
  const [ownSize, nextSize] = [own.length / channels, next.length / (outputs * perGroup)];
  /** The elements of the second one's weights that channel `channel` is multiplied by: [start, end) each. */
  const spans = (channel: number): [number, number][] => {
    const group = Math.floor(channel / perGroup);
    const inside = channel % perGroup;
    const width = outputs / groups;
    return Array.from({ length: width }, (_, i) => {
      const start = ((group * width + i) * perGroup + inside) * nextSize;
      return [start, start + nextSize];
    });
  };
  for (let channel = 0; channel < channels; channel++) {
    const mine: [number, number] = [channel * ownSize, (channel + 1) * ownSize];
    const [r1, r2] = [largest(own, [mine]), largest(next, spans(channel))];
    if (!(r1 > 0) || !(r2 > 0)) continue;
    const factor = Math.sqrt(r1 / r2);
    for (let i = mine[0]; i < mine[1]; i++) own[i] /= factor;
    if (bias) dataOf(bias)[channel] /= factor;
    for (const [start, end] of spans(channel)) for (let i = start; i < end; i++) next[i] *= factor;
  }
}

function largest(data: Float32Array, spans: readonly (readonly [number, number])[]): number {
  let most = 0;
  for (const [start, end] of spans)
    for (let i = start; i < end; i++) most = Math.max(most, Math.abs(data[i] as number));
  return most;
}
