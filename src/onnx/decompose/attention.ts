import { type Dim, floatAttribute, intAttribute, intsAttribute, type TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { type Tensor, toNumbers } from '../tensor.ts';
import { type CompositeCall, type Decomposition, hasOutput, inputOf } from './decomposition.ts';
import { attend, repeatHeads } from './dot-product-attention.ts';
import { countFrom, joinHeads, rotate, splitHeads } from './rotary-embedding.ts';

/** What ONNX Runtime adds to scores of keys that come after their query. */
const LOWEST = -3.4028234663852886e38;

/** What is added to scores of keys that a mask leaves out; `keep` is broadcast to [B, N, S, T]. */
function biasOf(g: GraphBuilder, keep: TypedValue, type: TypedValue['type'], masked: number): TypedValue {
  return g.where(keep, g.scalar(0, type), g.scalar(masked, type));
}

/**
 * A mask of ONNX Runtime's attention operators as a bias: [B] (where each text ends), [2B] (and where it begins),
 * [B, T], [B, S, T] or [B, 1, M, M]; undefined for other shapes.
 */
function maskBias(
  call: CompositeCall,
  mask: TypedValue,
  x: TypedValue,
  keys: TypedValue,
): TypedValue | undefined {
  const { g } = call;
  const masked = floatAttribute(call.node, 'mask_filter_value', -10000);
  const bias = (keep: TypedValue) => biasOf(g, keep, x.type, masked);
  const rank = mask.shape.length;
  if (rank === 1) {
    const batch: Dim = x.shape[0]!;
    const twice = typeof batch === 'number' && mask.shape[0] === 2 * batch;
    if (mask.shape[0] !== batch && !twice) return undefined;
    const places = g.cast(countFrom(g, keys, 2), mask.type);
    const column = (values: TypedValue) => g.unsqueeze(values, [1, 2, 3]);
    const ends = twice ? g.slice(mask, 0, 0, Number(batch)) : mask;
    const before = g.less(places, column(ends));
    if (!twice) return bias(before);
    const starts = g.slice(mask, 0, Number(batch), 2 * Number(batch));
    return bias(g.and(before, g.greaterOrEqual(places, column(starts))));
  }
  const positive = g.greater(mask, g.scalar(0, mask.type));
  if (rank === 2) return bias(g.unsqueeze(positive, [1, 2]));
  if (rank === 3) return bias(g.unsqueeze(positive, [1]));
  return undefined;
}

/** Keys (or values) of before, [B, N, P, H], and those of now. */
function withPast(g: GraphBuilder, past: TypedValue | null | undefined, now: TypedValue): TypedValue {
  return past ? g.concat([past, now], 2) : now;
}

/** Attention of ONNX Runtime: x [B, S, I], one matrix for queries, keys and values. */
const mergedAttention: Decomposition = (call) => {
  const { g, node, inputs } = call;
  const [x, weights, bias, mask, past, extra] = inputs;
  if (!x || !weights || intAttribute(node, 'do_rotary', 0) === 1 || inputs[6]) return undefined;
  const heads = intAttribute(node, 'num_heads', 1);
  const width = Number(weights.shape[1]);
  const sizes = intsAttribute(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const product = g.matMul(x, weights);
  const all = bias ? g.add(product, bias) : product;
  const parts = g.node('Split', [all, g.ints(sizes)], { axis: 2 }, { outputs: 3 });
  const [q, newK, newV] = parts.map((part) => splitHeads(g, part, heads)) as [
    TypedValue,
    TypedValue,
    TypedValue,
  ];
  const before = (index: number) => past && g.squeeze(g.slice(past, 0, index, index + 1), [0]);
  const [k, v] = [withPast(g, before(0), newK), withPast(g, before(1), newV)];
  const masking = mask ? maskBias(call, mask, x, k) : null;
  if (masking === undefined) return undefined;
  const { y } = attend(g, q, k, v, {
    scale: floatAttribute(node, 'scale', 0),
    biases: [extra, masking],
    causal: intAttribute(node, 'unidirectional', 0) === 1 ? LOWEST : null,
  });
  const present = () => g.concat([g.unsqueeze(k, [0]), g.unsqueeze(v, [0])], 0);
  return [joinHeads(g, y), hasOutput(call, 1) ? present() : null];
};

/** Queries, keys and values [B, N, S, H] of MultiHeadAttention, from any of its layouts, with their biases. */
function multiHeadInputs(
  call: CompositeCall,
  heads: number,
): [TypedValue, TypedValue, TypedValue] | undefined {
  const { g } = call;
  const [query, key, value, bias] = [inputOf(call, 0), call.inputs[1], call.inputs[2], call.inputs[3]];
  // [B, S, N, n, H]: the n matrices of a head beside each other.
  const unpacked = (packed: TypedValue, count: number): TypedValue[] =>
    g
      .node('Split', [packed], { axis: 3, num_outputs: count }, { outputs: count })
      .map((part) => g.transpose(g.squeeze(part, [3]), [0, 2, 1, 3]));
  const offset = (part: TypedValue, index: number) => {
    if (!bias) return part;
    const width = Number(part.shape[1]) * Number(part.shape[3]);
    const [q, v] = [Number(query.shape[2]), Number(bias.shape[0])];
    const start = query.shape.length === 5 ? index * width : index === 0 ? 0 : index === 1 ? q : v - width;
    const vector = g.slice(bias, 0, start, start + width);
    return g.add(part, g.unsqueeze(g.reshape(vector, [heads, width / heads]), [1]));
  };
  if (query.shape.length === 5) {
    const parts = unpacked(query, 3).map(offset);
    return [parts[0]!, parts[1]!, parts[2]!];
  }
  if (!key) return undefined;
  const q = offset(splitHeads(g, query, heads), 0);
  if (key.shape.length === 5) {
    const [k, v] = unpacked(key, 2);
    return [q, offset(k!, 1), offset(v!, 2)];
  }
  if (!value) return undefined;
  // Keys and values of a cross attention that were kept have heads already, and their biases.
  if (key.shape.length === 4) return [q, key, value];
  return [q, offset(splitHeads(g, key, heads), 1), offset(splitHeads(g, value, heads), 2)];
}

const multiHeadAttention: Decomposition = (call) => {
  const { g, node, inputs } = call;
  if (inputs[8] || inputs[9] || hasOutput(call, 3)) return undefined;
  const parts = multiHeadInputs(call, intAttribute(node, 'num_heads', 1));
  if (!parts) return undefined;
  const [q, newK, newV] = parts;
  const [k, v] = [withPast(g, inputs[6], newK), withPast(g, inputs[7], newV)];
  const mask = inputs[4];
  const masking = mask ? maskBias(call, mask, q, k) : null;
  if (masking === undefined) return undefined;
  const { y } = attend(g, q, k, v, {
    scale: floatAttribute(node, 'scale', 0),
    biases: [inputs[5], masking],
    causal: intAttribute(node, 'unidirectional', 0) === 1 ? LOWEST : null,
  });
  return [joinHeads(g, y), k, v];
};

/**
 * GroupQueryAttention of whole texts: a first pass, or one after keys and values that are all valid. It is causal, so
 * that padding at the end changes nothing before it.
 */
const groupQueryAttention: Decomposition = (call) => {
  const { g, node, inputs } = call;
  const [query, key, value, pastK, pastV, , , cos, sin, positions, bias] = inputs;
  const [heads, groups] = [intAttribute(node, 'num_heads', 1), intAttribute(node, 'kv_num_heads', 1)];
  const unknown =
    intAttribute(node, 'local_window_size', -1) > 0 || intAttribute(node, 'smooth_softmax', 0) === 1;
  if (!query || unknown || inputs[11]) return undefined;
  let [q, newK, newV] = [query, key, value];
  if (!key || !value) {
    const size = Number(query.shape[2]) / (heads + 2 * groups);
    const sizes = g.ints([heads * size, groups * size, groups * size]);
    [q, newK, newV] = g.node('Split', [query, sizes], { axis: 2 }, { outputs: 3 }) as [
      TypedValue,
      TypedValue,
      TypedValue,
    ];
  }
  let [a, b] = [splitHeads(g, q, heads), splitHeads(g, newK!, groups)];
  if (intAttribute(node, 'do_rotary', 0) === 1 && cos && sin) {
    const start = pastK ? g.op('Shape', [pastK], { start: 2, end: 3 }) : null;
    const ids = positions ?? g.unsqueeze(countFrom(g, a, 2, start), [0]);
    const interleaved = intAttribute(node, 'rotary_interleaved', 0) === 1;
    const rotation = { cos: g.gather(cos, ids), sin: g.gather(sin, ids), interleaved };
    [a, b] = [rotate(g, a, rotation), rotate(g, b, rotation)];
  }
  const k = withPast(g, pastK, b);
  const v = withPast(g, pastV, splitHeads(g, newV!, groups));
  const { y } = attend(g, a, repeatHeads(g, k, heads / groups), repeatHeads(g, v, heads / groups), {
    scale: floatAttribute(node, 'scale', 0),
    biases: [bias],
    causal: LOWEST,
    softcap: floatAttribute(node, 'softcap', 0),
  });
  return [joinHeads(g, y), k, v];
};

/**
 * Attention of opset 23 and 24: queries, keys and values as [B, N, S, H] or [B, S, N H]. As in ONNX Runtime 1.30 and
 * PyTorch, `is_causal` counts from the first key (upper left, after those of the past; where the lengths of the keys are
 * given, back from their end), and a query that sees no key gets zeros.
 */
const standardAttention: Decomposition = (call) => {
  const { g, node, inputs } = call;
  const [query, key, value, mask, pastK, pastV, lengths] = inputs;
  if (!query || !key || !value) return undefined;
  const flat = query.shape.length === 3;
  const split = (x: TypedValue, name: string) => (flat ? splitHeads(g, x, intAttribute(node, name, 1)) : x);
  const q = split(query, 'q_num_heads');
  const k = withPast(g, pastK, split(key, 'kv_num_heads'));
  const v = withPast(g, pastV, split(value, 'kv_num_heads'));
  const times = Number(q.shape[1]) / Number(k.shape[1]);
  const causal = intAttribute(node, 'is_causal', 0) === 1;
  const keep = (seen: TypedValue) => biasOf(g, seen, q.type, -Infinity);
  const bias = mask?.type === 'bool' ? keep(mask) : mask;
  const before = pastK ? g.reshape(g.op('Shape', [pastK], { start: 2, end: 3 }), []) : g.scalar(0, 'int64');
  const { y, products, limited, scores, weights } = attend(
    g,
    q,
    repeatHeads(g, k, times),
    repeatHeads(g, v, times),
    {
      scale: floatAttribute(node, 'scale', 0),
      biases: [bias, lengths && keep(withinLengths(g, lengths, q, k, causal))],
      causal: causal && !lengths ? -Infinity : null,
      before,
      mayBeAlone: (mask != null && !(isOpen(g.constantOf(mask)) && !causal)) || lengths != null,
      softcap: floatAttribute(node, 'softcap', 0),
    },
  );
  const modes = [products, limited, scores, weights];
  const shown = modes[intAttribute(node, 'qk_matmul_output_mode', 0)]!;
  return [flat ? joinHeads(g, y) : y, k, v, shown];
};

/** [B, 1, S or 1, T]: whether a key lies within its text, and, where that is asked for, not after its query. */
function withinLengths(
  g: GraphBuilder,
  lengths: TypedValue,
  q: TypedValue,
  k: TypedValue,
  causal: boolean,
): TypedValue {
  const keys = countFrom(g, k, 2);
  const ends = g.unsqueeze(lengths, [1, 2, 3]);
  const inside = g.less(keys, ends);
  if (!causal) return inside;
  const queries = g.unsqueeze(countFrom(g, q, 2), [1]);
  const before = g.sub(ends, g.op('Shape', [q], { start: 2, end: 3 }));
  return g.and(inside, g.lessOrEqual(keys, g.add(queries, before)));
}

/** Whether every row of a mask lets a key through. */
function isOpen(mask: Tensor | undefined): boolean {
  if (!mask) return false;
  const width = mask.dims.at(-1) ?? 1;
  const values = mask.type === 'bool' || mask.type === 'float32' ? toNumbers(mask) : [];
  const seen = (value: number) => (mask.type === 'bool' ? value !== 0 : value > LOWEST);
  for (let row = 0; row < values.length; row += width) {
    if (!values.slice(row, row + width).some(seen)) return false;
  }
  return values.length > 0;
}

export const ATTENTION: Record<string, Decomposition> = {
  Attention: standardAttention,
  'com.microsoft::Attention': mergedAttention,
  'com.microsoft::MultiHeadAttention': multiHeadAttention,
  'com.microsoft::GroupQueryAttention': groupQueryAttention,
};
