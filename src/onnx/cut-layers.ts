import { isFloat } from './data-type.ts';
import { findValue, type Graph, type Node, type Value } from './graph.ts';
import { removeDeadNodes } from './passes/remove-dead-nodes.ts';
import { withOutputs } from './passes/select-outputs.ts';
import { replaceReads } from './replace-values.ts';
import type { Tensor } from './tensor.ts';

/**
 * The first layers of a model of equal layers, with the weights of others: layer j of the result has those of layer `kept[j]`.
 * What comes before the first layer (embeddings) stays.
 *
 * @param hidden the values in which the layers end, by name, in the order of the layers
 * @param kept ascending positions in `hidden`
 * @param keepsEnd whether what comes after the last layer stays, and reads the last one that is kept
 * @returns with the last layer's value as the only output, or with all that the model has; undefined where the layers do not have
 *   weights of the same shapes
 */
export function cutLayers(
  graph: Graph,
  hidden: readonly string[],
  kept: readonly number[],
  keepsEnd = false,
): Graph | undefined {
  const weights = weightsByLayer(graph, hidden);
  const contents = new Map<Value, Tensor>();
  for (const [layer, from] of kept.entries()) {
    if (layer === from) continue;
    const [own, other] = [weights[layer], weights[from]] as [readonly Value[], readonly Value[]];
    // The weights of the first layer come after those of the embeddings.
    const offset = layer === 0 ? own.length - other.length : 0;
    if (offset < 0 || own.length - offset !== other.length) return undefined;
    for (const [i, source] of other.entries()) {
      const target = own[offset + i] as Value;
      const content = graph.initializers.get(source) as Tensor;
      if (`${graph.initializers.get(target)?.dims}` !== `${content.dims}`) return undefined;
      contents.set(target, content);
    }
  }
  const initializers = new Map(
    [...graph.initializers].map(([value, content]) => [value, contents.get(value) ?? content]),
  );
  const last = hidden[kept.length - 1] as string;
  if (!keepsEnd) return removeDeadNodes(withOutputs({ ...graph, initializers }, [last]));
  const [end, now] = [hidden.at(-1) as string, last].map((name) => findValue(graph, name) as Value) as [
    Value,
    Value,
  ];
  const instead = new Map(end === now ? [] : [[end, now]]);
  const nodes = graph.nodes.map((node) => replaceReads(node, instead));
  return removeDeadNodes({ ...graph, nodes, initializers });
}

/**
 * A model without some of its layers, each of which gives what it is given in the same shape (residual blocks): what came after such
 * a layer reads what came before it.
 *
 * @param ends the values in which the layers end, by name, in the order of the layers
 * @param kept ascending positions in `ends`; the first layer is among them
 * @param keepsEnd as of `cutLayers`
 * @returns with the last layer's value as the only output, or with all that the model has
 */
export function dropLayers(
  graph: Graph,
  ends: readonly string[],
  kept: readonly number[],
  keepsEnd = false,
): Graph {
  const named = new Map<string, Value>();
  for (const { outputs } of graph.nodes) for (const value of outputs) if (value) named.set(value.name, value);
  const instead = new Map<Value, Value>();
  let last = named.get(ends[kept[0] as number] as string) as Value;
  for (const [layer, name] of ends.entries()) {
    const own = named.get(name) as Value;
    if (kept.includes(layer)) last = own;
    else instead.set(own, last);
  }
  const nodes = graph.nodes.map((node) => replaceReads(node, instead));
  return removeDeadNodes(keepsEnd ? { ...graph, nodes } : withOutputs({ ...graph, nodes }, [last.name]));
}

/** The weights that each layer reads first, in the order of its nodes. */
function weightsByLayer(graph: Graph, hidden: readonly string[]): Value[][] {
  const producers = new Map<Value, Node>();
  const named = new Map<string, Value>();
  for (const node of graph.nodes) {
    for (const value of node.outputs) {
      if (!value) continue;
      producers.set(value, node);
      named.set(value.name, value);
    }
  }
  const seen = new Set<Node>();
  const taken = new Set<Value>();
  return hidden.map((name) => {
    const own = new Set<Node>();
    const open = [producers.get(named.get(name) as Value)];
    for (let node = open.pop(); node || open.length > 0; node = open.pop()) {
      if (!node || seen.has(node)) continue;
      seen.add(node);
      own.add(node);
      for (const value of node.inputs) if (value) open.push(producers.get(value));
    }
    const weights: Value[] = [];
    for (const node of graph.nodes) {
      if (!own.has(node)) continue;
      for (const value of node.inputs) {
        const content = value && graph.initializers.get(value);
        if (!value || !content || taken.has(value) || !isFloat(content.type) || content.data.length < 2)
          continue;
        taken.add(value);
        weights.push(value);
      }
    }
    return weights;
  });
}
