import type { Graph, Node, Shape, TypedValue, Value } from '../graph.ts';
import { intsAttribute } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { int64, type Tensor } from '../tensor.ts';
import { bindDims } from './bind-dims.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';

/** Sizes of two examples for the first axis of inputs and for all others that are open. What differs between them is open. */
const EXAMPLES = [
  { batch: 3, other: 13 },
  { batch: 5, other: 17 },
] as const;

/**
 * A graph whose reshapes say their sizes as constants where they can: exporters compute them from the sizes of the input, and what is
 * computed says nothing of heads and channels. What is repeated along an axis does not say the sizes of the others. A sequence of heads that is laid into the batch to be transposed is transposed as it is.
 * Same values for any input. A graph in which sizes cannot be followed stays as it is.
 */
export function plainReshapes(graph: Graph): Graph {
  const examples = EXAMPLES.map((sizes) => shapesOf(graph, sizes));
  const [first, second] = examples;
  if (!first || !second) return graph;
  const sizes = (value: Value | null | undefined) => {
    const [a, b] = value ? [first(value), second(value)] : [];
    return a && b && a.length === b.length ? ([a, b] as const) : undefined;
  };
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output) producers.set(output, node);
  const initializers = new Map(graph.initializers);
  const constant = (name: string, content: Tensor): Value => {
    const value: Value = { name, type: content.type, shape: content.dims };
    initializers.set(value, content);
    return value;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => sizeOfInput(node) ?? repeated(node) ?? [plain(node)]);
  // Shapes that were open are known now.
  return bindDims(removeDeadNodes({ ...graph, nodes, initializers }), {});

  /** A size that is read of an inner value, as that of an input, or as what it always is: nothing else of the value is meant. */
  function sizeOfInput(node: Node): Node[] | undefined {
    const [shape, index] = node.inputs;
    const source = shape && producers.get(shape);
    const place = index && graph.initializers.get(index);
    if (node.opType !== 'Gather' || source?.opType !== 'Shape' || source.attributes.size > 0)
      return undefined;
    const read = sizes(source.inputs[0]);
    if (!read || place?.data.length !== 1) return undefined;
    const [a, b] = read.map((list) => list.at(Number(place.data[0]))) as [number, number];
    const name = node.outputs[0]?.name as string;
    if (a === b) {
      const content = int64([a], place.dims);
      return [
        { ...node, opType: 'Identity', inputs: [constant(`${name}/size`, content)], attributes: new Map() },
      ];
    }
    for (const input of graph.inputs) {
      const [first, second] = sizes(input) ?? [[], []];
      const axis = first.findIndex((size, i) => size === a && second[i] === b);
      if (axis < 0) continue;
      const made: Value = { name: `${name}/sizes`, type: 'int64', shape: [first.length] };
      const at = constant(`${name}/axis`, int64([axis], place.dims));
      return [
        { ...source, name: `${node.name}/sizes`, inputs: [input], outputs: [made] },
        { ...node, inputs: [made, at] },
      ];
    }
    return undefined;
  }

  /**
   * What is repeated along some axes (a token for each image) as a sum with zeros, so that the sizes of the others are not written
   * anywhere.
   */
  function repeated(node: Node): Node[] | undefined {
    const [x, target] = node.inputs;
    if (node.opType !== 'Expand' || x?.type !== 'float32') return undefined;
    const [given, made] = [sizes(x), sizes(node.outputs[0])];
    if (node.domain !== '' || !x || !target || !given || !made) return undefined;
    const rank = made[0].length;
    const name = node.outputs[0]?.name as string;
    const before: Node[] = [];
    let isPlain = true;
    const parts = made[0].map((size, axis): Value => {
      const own = given[0][axis - rank + given[0].length];
      if (own === size && made[1][axis] === size) {
        isPlain &&= size === 1;
        return constant(`${name}/kept_${axis}`, int64([1]));
      }
      const part: Value = { name: `${name}/size_${axis}`, type: 'int64', shape: [1] };
      const [from, to] = [axis, axis + 1].map((at, i) => constant(`${part.name}/${i}`, int64([at])));
      before.push({
        ...node,
        name: part.name,
        opType: 'Slice',
        inputs: [target, from as Value, to as Value],
        outputs: [part],
      });
      return part;
    });
    if (isPlain) return undefined;
    const all: Value = { name: `${name}/zeros_shape`, type: 'int64', shape: [rank] };
    const zeros: Value = { name: `${name}/zeros`, type: 'float32', shape: undefined };
    const along = new Map([['axis', { kind: 'int', value: 0 } as const]]);
    return [
      ...before,
      { ...node, name: all.name, opType: 'Concat', inputs: parts, outputs: [all], attributes: along },
      { ...node, name: zeros.name, opType: 'ConstantOfShape', inputs: [all], outputs: [zeros] },
      { ...node, opType: 'Add', inputs: [x, zeros] },
    ];
  }

  function plain(node: Node): Node {
    const [x, target] = node.inputs;
    if (node.opType !== 'Reshape' || node.domain !== '' || !x || !target) return node;
    const source = headsTransposed(node, producers, sizes);
    if (source) {
      const attributes = new Map([['perm', { kind: 'ints', value: [0, 1, 3, 2] } as const]]);
      return { ...node, opType: 'Transpose', inputs: [source], attributes };
    }
    if (graph.initializers.has(target)) return node;
    const content = targetOf(sizes(x), sizes(node.outputs[0]));
    if (!content) return node;
    const value = constant(`${node.outputs[0]?.name}/sizes`, content);
    const attributes = new Map([...node.attributes].filter(([name]) => name !== 'allowzero'));
    return { ...node, inputs: [x, value], attributes };
  }
}

type Sizes = readonly [readonly number[], readonly number[]];

/** What a reshape of one value to another says: the sizes that never change, 0 for one that stays, -1 for what remains. */
function targetOf(given: Sizes | undefined, made: Sizes | undefined): Tensor | undefined {
  if (!given || !made) return undefined;
  const target = made[0].map((size, axis) => {
    if (size === made[1][axis]) return size;
    return given[0][axis] === size && given[1][axis] === made[1][axis] ? 0 : -1;
  });
  return target.filter((size) => size === -1).length > 1 ? undefined : int64(target);
}

/** The value [batch, heads, tokens, size] of which a reshape ends the transposition [batch, heads, size, tokens], through three axes. */
function headsTransposed(
  node: Node,
  producers: ReadonlyMap<Value, Node>,
  sizes: (value: Value | null | undefined) => Sizes | undefined,
): Value | undefined {
  const turned = node.inputs[0] && producers.get(node.inputs[0]);
  if (turned?.opType !== 'Transpose' || intsAttribute(turned, 'perm')?.join() !== '0,2,1') return undefined;
  const laid = turned.inputs[0] && producers.get(turned.inputs[0]);
  if (laid?.opType !== 'Reshape') return undefined;
  const [before, between, after] = [laid.inputs[0], laid.outputs[0], node.outputs[0]].map(sizes);
  if (!before || !between || !after) return undefined;
  const isSame = [0, 1].every((i) => {
    const [b, h, t, d, ...more] = before[i] as readonly number[];
    if (b === undefined || h === undefined || more.length > 0) return false;
    return between[i]?.join() === [b * h, t, d].join() && after[i]?.join() === [b, h, d, t].join();
  });
  return isSame ? (laid.inputs[0] as Value) : undefined;
}

function shapesOf(
  graph: Graph,
  { batch, other }: (typeof EXAMPLES)[number],
): ((value: Value) => readonly number[] | undefined) | undefined {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (!type || !shape) return undefined;
    const dims = shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? batch : other));
    bound.set(name, g.input(name, type, dims));
  }
  try {
    const copied = g.copy(graph, bound);
    return (value) => numbers(copied.get(value)?.shape);
  } catch {
    return undefined;
  }
}

function numbers(shape: Shape | undefined): readonly number[] | undefined {
  return shape?.every((dim) => typeof dim === 'number') ? (shape as readonly number[]) : undefined;
}
