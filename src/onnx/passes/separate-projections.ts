import { type Graph, intAttribute, intsAttribute, type Node, type Value } from '../graph.ts';
import { float32, int64, type Tensor, toNumbers } from '../tensor.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';

/** Examples of axes whose size is open, told apart by their names. */
const OPEN_SIZES = [3, 7, 11];

/**
 * A graph whose queries, keys and values come of products of their own, as [batch, heads, tokens, size], where one product makes all of
 * them: as PyTorch's `nn.MultiheadAttention` is exported (`in_proj`, the sequence before the batch, heads laid into the batch), and timm's
 * `qkv`. In such a graph an axis of three parts, or one of heads and samples together, hides which columns of the weights a head has.
 * Same values: each reads its columns of the weights. What is made otherwise stays as it is.
 *
 * @param graph with the sizes of its reshapes as constants (`plainReshapes`)
 */
export function separateProjections(graph: Graph): Graph {
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes) for (const value of node.outputs) if (value) producers.set(value, node);
  const initializers = new Map(graph.initializers);
  const parts = new Map<string, Value>();
  const constant = (value: Value | null | undefined) => (value ? graph.initializers.get(value) : undefined);
  const made = (name: string, content: Tensor): Value => {
    const value: Value = { name, type: content.type, shape: content.dims };
    initializers.set(value, content);
    return value;
  };
  const nodes = graph.nodes.flatMap((node) => separated(node) ?? [node]);
  return removeDeadNodes({ ...graph, nodes, initializers });

  function separated(node: Node): Node[] | undefined {
    const [output] = node.outputs;
    if (output?.shape?.length !== 4) return undefined;
    const [, heads, , size] = output.shape;
    if (typeof heads !== 'number' || typeof size !== 'number') return undefined;
    const path = pathTo(node);
    const source = path && projectionOf(path[0]?.inputs[0]);
    if (!path || !source) return undefined;
    const from = columnsOf(path, source.value, { heads, size });
    if (!from) return undefined;
    const width = heads * size;
    const name = `${output.name}/own`;
    const part = (of: Value, content: Tensor) => {
      const called = `${of.name}/${from.column}_${width}`;
      // Layers may share their weights.
      const known = parts.get(called) ?? made(called, columns(content, from.column, width));
      parts.set(called, known);
      return known;
    };
    const value = (suffix: string, shape: Value['shape']): Value => ({
      name: `${name}/${suffix}`,
      type: 'float32',
      shape,
    });
    const lead = source.value.shape?.slice(0, 2) ?? [];
    const [product, sum, apart] = [
      value('product', [...lead, width]),
      value('sum', [...lead, width]),
      value('heads', [...lead, heads, size]),
    ];
    const emit = (
      opType: string,
      inputs: Value[],
      result: Value,
      attributes: Node['attributes'] = new Map(),
    ): Node => ({
      ...node,
      ...{ name: result.name, domain: '', opType, inputs, outputs: [result], attributes },
    });
    const { weight, bias } = source;
    const perm = from.sequenceFirst ? [1, 2, 0, 3] : [0, 2, 1, 3];
    return [
      emit('MatMul', [source.x, part(weight.value, weight.content)], product),
      ...(bias ? [emit('Add', [product, part(bias.value, bias.content)], sum)] : []),
      emit('Reshape', [bias ? sum : product, made(`${name}/sizes`, int64([0, 0, heads, size]))], apart),
      emit('Transpose', [apart], output, new Map([['perm', { kind: 'ints', value: perm } as const]])),
    ];
  }

  /** The nodes that only move values, from a product's result to this one, if one of them takes a part of it. */
  function pathTo(node: Node): readonly Node[] | undefined {
    const path: Node[] = [];
    for (
      let at: Node | undefined = node;
      at && moves(at);
      at = at.inputs[0] ? producers.get(at.inputs[0]) : undefined
    )
      path.unshift(at);
    return path.some(({ opType }) => opType === 'Gather' || opType === 'Split') ? path : undefined;
  }

  function moves({ opType, domain, inputs }: Node): boolean {
    if (domain !== '' || !MOVING.has(opType)) return false;
    return inputs.slice(1).every((value) => value === null || constant(value) !== undefined);
  }

  /** x W + b, of constants W [inputs, outputs] and b. */
  function projectionOf(result: Value | null | undefined) {
    const last = result ? producers.get(result) : undefined;
    const bias = last?.opType === 'Add' ? last.inputs.find((value) => constant(value)) : undefined;
    const product = bias ? last?.inputs.find((value) => value !== bias) : result;
    const node = product ? producers.get(product) : undefined;
    const [x, weight] = node?.inputs ?? [];
    const [content, added] = [constant(weight), constant(bias)];
    if (
      node?.opType !== 'MatMul' ||
      !x ||
      !weight ||
      content?.dims.length !== 2 ||
      content.type !== 'float32'
    )
      return undefined;
    if (bias && (added?.dims.length !== 1 || added.type !== 'float32')) return undefined;
    return {
      ...{ value: result as Value, x, weight: { value: weight, content } },
      ...(bias && added && { bias: { value: bias, content: added } }),
    };
  }

  /**
   * Where in the last axis of the product's result the numbers of the heads lie, and which of its first axes are the tokens: found by
   * moving numbers that say where they come from.
   */
  function columnsOf(
    path: readonly Node[],
    { shape }: Value,
    { heads, size }: { readonly heads: number; readonly size: number },
  ): { readonly column: number; readonly sequenceFirst: boolean } | undefined {
    if (shape?.length !== 3) return undefined;
    const open = [...new Set(shape.filter((dim) => typeof dim === 'string'))];
    const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : OPEN_SIZES[open.indexOf(dim)]));
    const [first, second, width] = sizes as [number, number, number];
    let moved: Places | undefined = {
      dims: [first, second, width],
      places: Uint32Array.from({ length: first * second * width }, (_, i) => i),
    };
    for (const [i, node] of path.entries())
      moved = moved && move(node, moved, path[i + 1]?.inputs[0] ?? node.outputs[0], constant);
    const [batch, ownHeads, tokens, ownSize] = moved?.dims ?? [];
    if (!moved || !batch || !tokens || ownHeads !== heads || ownSize !== size) return undefined;
    const column = (moved.places[0] as number) % width;
    for (const sequenceFirst of [true, false]) {
      if ((sequenceFirst ? [tokens, batch] : [batch, tokens]).join() !== [first, second].join()) continue;
      const isSo = moved.places.every((place, i) => {
        const [d, l, h, b] = [
          i % size,
          Math.floor(i / size) % tokens,
          Math.floor(i / size / tokens) % heads,
          Math.floor(i / size / tokens / heads),
        ];
        const row = sequenceFirst ? l * batch + b : b * tokens + l;
        return place === row * width + column + h * size + d;
      });
      if (isSo && column % (heads * size) === 0) return { column, sequenceFirst };
    }
    return undefined;
  }
}

const MOVING: ReadonlySet<string> = new Set([
  ...['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Gather', 'Split', 'Identity'],
]);

/** Where each number of a tensor comes from. */
interface Places {
  readonly dims: readonly number[];
  readonly places: Uint32Array;
}

/** What a node makes of numbers, as the one of its outputs that is asked for. */
function move(
  node: Node,
  { dims, places }: Places,
  output: Value | null | undefined,
  constant: (value: Value | null | undefined) => Tensor | undefined,
): Places | undefined {
  const second = constant(node.inputs[1]);
  const list = second && toNumbers(second);
  const axes = list ?? intsAttribute(node, 'axes') ?? [];
  switch (node.opType) {
    case 'Identity':
      return { dims, places };
    case 'Reshape': {
      const target = list?.map((size, axis) => (size === 0 ? (dims[axis] as number) : size));
      const known = target?.reduce((product, size) => (size < 0 ? product : product * size), 1);
      return (
        target && {
          dims: target.map((size) => (size < 0 ? places.length / (known as number) : size)),
          places,
        }
      );
    }
    case 'Squeeze':
      return {
        dims: dims.filter(
          (size, axis) => !within(axes, dims.length).includes(axis) && (axes.length > 0 || size !== 1),
        ),
        places,
      };
    case 'Unsqueeze': {
      const rank = dims.length + axes.length;
      const added = within(axes, rank);
      const rest = [...dims];
      return {
        dims: Array.from({ length: rank }, (_, axis) =>
          added.includes(axis) ? 1 : (rest.shift() as number),
        ),
        places,
      };
    }
    case 'Transpose':
      return turned({ dims, places }, intsAttribute(node, 'perm') ?? dims.map((_, i) => dims.length - 1 - i));
    case 'Gather': {
      const axis = within([intAttribute(node, 'axis', 0)], dims.length)[0] as number;
      if (second?.data.length !== 1 || second.dims.length > 0) return undefined;
      const index = within([list?.[0] as number], dims[axis] as number)[0] as number;
      const found = slice({ dims, places }, axis, index, 1);
      return { dims: dims.filter((_, i) => i !== axis), places: found.places };
    }
    case 'Split': {
      const axis = within([intAttribute(node, 'axis', 0)], dims.length)[0] as number;
      const at = node.outputs.indexOf(output ?? null);
      const parts = list ?? node.outputs.map(() => (dims[axis] as number) / node.outputs.length);
      if (at < 0 || !parts.every(Number.isInteger)) return undefined;
      const from = parts.slice(0, at).reduce((sum, size) => sum + size, 0);
      return slice({ dims, places }, axis, from, parts[at] as number);
    }
    default:
      return undefined;
  }
}

function within(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

function slice({ dims, places }: Places, axis: number, from: number, count: number): Places {
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const own = dims[axis] as number;
  const kept = places.filter((_, i) => {
    const at = Math.floor(i / inner) % own;
    return at >= from && at < from + count;
  });
  return { dims: dims.map((size, i) => (i === axis ? count : size)), places: kept };
}

function turned({ dims, places }: Places, perm: readonly number[]): Places {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, 1));
  const made = perm.map((axis) => dims[axis] as number);
  const steps = perm.map((axis) => strides[axis] as number);
  const found = new Uint32Array(places.length);
  const at = new Array<number>(made.length).fill(0);
  let from = 0;
  for (let i = 0; i < found.length; i++) {
    found[i] = places[from] as number;
    for (let axis = made.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      if (++at[axis]! < (made[axis] as number)) break;
      from -= (steps[axis] as number) * (made[axis] as number);
      at[axis] = 0;
    }
  }
  return { dims: made, places: found };
}

/** Some columns of a matrix, or some numbers of a vector. */
function columns({ dims, data }: Tensor, from: number, count: number): Tensor {
  const width = dims.at(-1) as number;
  const rows = data.length / width;
  const kept = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++)
    kept.set((data as Float32Array).subarray(row * width + from, row * width + from + count), row * count);
  return float32(kept, [...dims.slice(0, -1), count]);
}
