import { floatAttribute, intAttribute, type TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { type Decomposition, inputOf } from './decomposition.ts';

export interface Rotation {
  /** [B or 1, S, r / 2]: for every position, the cosines and sines of r / 2 angles. */
  readonly cos: TypedValue;
  readonly sin: TypedValue;
  /** Whether neighbours are a pair (GPT-J), not element i and i + r / 2 (GPT-NeoX, Llama). */
  readonly interleaved: boolean;
}

/**
 * Turns pairs of elements of every head by an angle that grows with the position (Su et al. 2021).
 * `x` is [B, N, S, H]; elements from r on stay as they are.
 */
export function rotate(g: GraphBuilder, x: TypedValue, { cos, sin, interleaved }: Rotation): TypedValue {
  const half = Number(cos.shape[cos.shape.length - 1]);
  const size = Number(x.shape[3]);
  const turned = 2 * half === size ? x : g.slice(x, 3, 0, 2 * half);
  const [first, second] = interleaved
    ? [g.slice(turned, 3, 0, 2 * half, 2), g.slice(turned, 3, 1, 2 * half, 2)]
    : [g.slice(turned, 3, 0, half), g.slice(turned, 3, half, 2 * half)];
  const [c, s] = [g.unsqueeze(cos, [1]), g.unsqueeze(sin, [1])];
  const real = g.sub(g.mul(first, c), g.mul(second, s));
  const imaginary = g.add(g.mul(second, c), g.mul(first, s));
  const joined = interleaved
    ? g.reshape(g.concat([g.unsqueeze(real, [4]), g.unsqueeze(imaginary, [4])], 4), [0, 0, 0, 2 * half])
    : g.concat([real, imaginary], 3);
  return turned === x ? joined : g.concat([joined, g.slice(x, 3, 2 * half, size)], 3);
}

/** [B, S, N H] as [B, N, S, H]. */
export function splitHeads(g: GraphBuilder, x: TypedValue, heads: number): TypedValue {
  const size = Number(x.shape[2]) / heads;
  return g.transpose(g.reshape(x, [0, 0, heads, size]), [0, 2, 1, 3]);
}

/** [B, N, S, H] as [B, S, N H]. */
export function joinHeads(g: GraphBuilder, x: TypedValue): TypedValue {
  const width = Number(x.shape[1]) * Number(x.shape[3]);
  return g.reshape(g.transpose(x, [0, 2, 1, 3]), [0, 0, width]);
}

/** 0, 1, ... S - 1 for the size of `x` along `axis`, from `offset` on. */
export function countFrom(
  g: GraphBuilder,
  x: TypedValue,
  axis: number,
  offset: TypedValue | null = null,
): TypedValue {
  const size = g.reshape(g.op('Shape', [x], { start: axis, end: axis + 1 }), []);
  const counted = g.op('Range', [g.scalar(0, 'int64'), size, g.scalar(1, 'int64')]);
  return offset ? g.add(counted, offset) : counted;
}

/** The operator of ONNX Runtime: x, position_ids ([B, S], or [1] for where the first one is), cos and sin tables. */
const contribRotary: Decomposition = (call) => {
  const { g, node } = call;
  const [x, positions, cos, sin] = [0, 1, 2, 3].map((i) => inputOf(call, i)) as [
    TypedValue,
    TypedValue,
    TypedValue,
    TypedValue,
  ];
  if (intAttribute(node, 'is_packed_batching', 0) === 1 || typeof cos.shape[1] !== 'number') return undefined;
  const flat = x.shape.length === 3;
  const heads = intAttribute(node, 'num_heads', 0) || Number(x.shape[2]) / (2 * cos.shape[1]);
  const split = flat ? splitHeads(g, x, heads) : x;
  const ids = positions.shape.length === 1 ? g.unsqueeze(countFrom(g, split, 2, positions), [0]) : positions;
  const interleaved = intAttribute(node, 'interleaved', 0) === 1;
  const rotated = rotate(g, split, { cos: g.gather(cos, ids), sin: g.gather(sin, ids), interleaved });
  const scale = floatAttribute(node, 'scale', 1);
  const scaled = scale === 1 ? rotated : g.mul(rotated, scale);
  return [flat ? joinHeads(g, scaled) : scaled];
};

/** The operator of opset 23: the tables are by position when position_ids are given, else [B, S, r / 2]. */
const standardRotary: Decomposition = (call) => {
  const { g, node } = call;
  const [x, cos, sin, ids] = [inputOf(call, 0), inputOf(call, 1), inputOf(call, 2), call.inputs[3]];
  const flat = x.shape.length === 3;
  const split = flat ? splitHeads(g, x, intAttribute(node, 'num_heads', 1)) : x;
  const width = intAttribute(node, 'rotary_embedding_dim', 0) || Number(split.shape[3]);
  const table = (values: TypedValue) => {
    const placed = ids ? g.gather(values, ids) : values;
    return placed.shape[2] === width / 2 ? placed : g.slice(placed, 2, 0, width / 2);
  };
  const interleaved = intAttribute(node, 'interleaved', 0) === 1;
  const rotated = rotate(g, split, { cos: table(cos), sin: table(sin), interleaved });
  return [flat ? joinHeads(g, rotated) : rotated];
};

export const ROTARY_EMBEDDING: Record<string, Decomposition> = {
  RotaryEmbedding: standardRotary,
  'com.microsoft::RotaryEmbedding': contribRotary,
};
