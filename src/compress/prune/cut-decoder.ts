import { LimbeckError } from '../../errors.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { keptLayers } from '../../students/cut.ts';
import type { DecoderSizes, GivenDecoder } from '../../students/decoder-parts.ts';
import type { CutSize } from './cut-to-size.ts';
import { leastFirst } from './importance.ts';

/**
 * A decoder with fewer layers, heads, and numbers in hidden states and feed-forward blocks, and the weights of what is left: of each
 * the largest ones, as `cutToSize` chooses them (L1 norms over all matrices, each as a part of the matrix's mean).
 *
 * Heads of queries that share heads of keys (Ainslie et al., 2023) stay in their groups: each group gives away as many, where the heads
 * that are wanted are a multiple of those of keys; otherwise whole groups go, with their keys. In GPT-2 the heads together are as wide as
 * the hidden states, so that `heads` and `width` say the same, and one of them is enough.
 *
 * @throws LimbeckError `recipe.invalid` for sizes that the teacher cannot be cut to
 */
export function cutDecoder(decoder: GivenDecoder, size: CutSize): GivenDecoder {
  const kept = keptLayers(size.layers, decoder.sizes.layers);
  const { heads, width } = wantedSizes(decoder, size);
  const shorter = withLayers(decoder, kept);
  const thinner = heads === shorter.sizes.heads ? shorter : withHeads(shorter, heads);
  const part = size.width ?? width / decoder.sizes.width;
  const feedForward = Math.round(part * decoder.sizes.feedForward);
  if (width < 1 || feedForward < 1)
    throw refused('width', 'nothing is left of the hidden states', 'Keep a larger part.');
  const narrower = width === thinner.sizes.width ? thinner : withWidth(thinner, width);
  return feedForward === narrower.sizes.feedForward ? narrower : withFeedForward(narrower, feedForward);
}

function wantedSizes({ kind, sizes }: GivenDecoder, size: CutSize): { heads: number; width: number } {
  const { heads: has, headSize } = sizes;
  if (size.heads !== undefined && size.heads > has)
    throw refused('heads', `the teacher has ${has} heads, not ${size.heads}`, `Keep ${has} or fewer.`);
  const width = size.width === undefined ? undefined : Math.round(size.width * sizes.width);
  if (kind === 'llama') return { heads: size.heads ?? has, width: width ?? sizes.width };
  const heads = size.heads ?? (width === undefined ? has : width / headSize);
  if (!Number.isInteger(heads) || heads < 1 || (width !== undefined && width !== heads * headSize)) {
    throw refused(
      'width',
      `the hidden states of GPT-2 are as wide as its heads together: ${headSize} numbers each, not ${width}`,
      `Keep a part that is a whole number of heads, or name the heads alone (width: ${round((size.heads ?? Math.max(1, Math.round(heads))) / has)}).`,
    );
  }
  return { heads, width: heads * headSize };
}

function round(part: number): number {
  return Number(part.toFixed(4));
}

/** How the weights of a decoder lie: what each axis of a weight runs over. */
interface Axes {
  readonly layers: string;
  /** Tables of the hidden states, by their last axis. */
  readonly tables: readonly string[];
  /** In a layer: weights that read hidden states (first axis), and those that give them (last axis). */
  readonly reads: readonly string[];
  readonly gives: readonly string[];
  /** Weights and biases that are one number a channel. */
  readonly scales: readonly string[];
  readonly lastScales: readonly string[];
  /** Of the feed-forward block: by the last axis, and by the first one. */
  readonly inner: { readonly last: readonly string[]; readonly first: readonly string[] };
}

const AXES: Readonly<Record<GivenDecoder['kind'], Axes>> = {
  gpt2: {
    layers: 'h',
    tables: ['wte/weight', 'wpe/weight', 'lm_head/weight'],
    reads: ['attn/c_attn/weight', 'mlp/c_fc/weight'],
    gives: ['attn/c_proj/weight', 'mlp/c_proj/weight'],
    scales: ['ln_1/scale', 'ln_1/bias', 'ln_2/scale', 'ln_2/bias', 'attn/c_proj/bias', 'mlp/c_proj/bias'],
    lastScales: ['ln_f/scale', 'ln_f/bias'],
    inner: { last: ['mlp/c_fc/weight', 'mlp/c_fc/bias'], first: ['mlp/c_proj/weight'] },
  },
  llama: {
    layers: 'layers',
    tables: ['embed_tokens/weight', 'lm_head/weight'],
    reads: ['self_attn/q_proj', 'self_attn/k_proj', 'self_attn/v_proj', 'mlp/gate_proj', 'mlp/up_proj'].map(
      (name) => `${name}/weight`,
    ),
    gives: ['self_attn/o_proj/weight', 'mlp/down_proj/weight'],
    scales: ['input_layernorm/weight', 'post_attention_layernorm/weight'],
    lastScales: ['norm/weight'],
    inner: { last: ['mlp/gate_proj/weight', 'mlp/up_proj/weight'], first: ['mlp/down_proj/weight'] },
  },
};

/** Layer j is layer `kept[j]`. */
function withLayers(decoder: GivenDecoder, kept: readonly number[]): GivenDecoder {
  const { layers } = AXES[decoder.kind];
  const pattern = new RegExp(`^${layers}\\.(\\d+)/`);
  const weights = new Map(
    [...decoder.weights].flatMap(([name, content]): [string, Tensor][] => {
      const layer = pattern.exec(name);
      if (!layer) return [[name, content]];
      const place = kept.indexOf(Number(layer[1]));
      return place < 0 ? [] : [[name.replace(pattern, `${layers}.${place}/`), content]];
    }),
  );
  return changed(decoder, { layers: kept.length }, weights);
}

function withWidth(decoder: GivenDecoder, width: number): GivenDecoder {
  const { tables, reads, gives, scales, lastScales } = AXES[decoder.kind];
  const axisOf = new Map<string, number>([
    ...present(decoder, tables).map((name) => [name, 1] as const),
    ...inLayers(decoder, reads).map((name) => [name, 0] as const),
    ...inLayers(decoder, gives).map((name) => [name, 1] as const),
  ]);
  const vectors = [...lastScales, ...inLayers(decoder, scales)].map((name) => [name, 0] as const);
  return withIndices(
    decoder,
    { width },
    axisOf,
    largest(decoder, axisOf, width, decoder.sizes.width),
    vectors,
  );
}

/** Each layer chooses its own. */
function withFeedForward(decoder: GivenDecoder, feedForward: number): GivenDecoder {
  const { inner, layers } = AXES[decoder.kind];
  let current = decoder;
  for (let layer = 0; layer < decoder.sizes.layers; layer++) {
    const at = (name: string) => `${layers}.${layer}/${name}`;
    const isVector = (name: string) => name.endsWith('bias');
    const axisOf = new Map([
      ...inner.last.filter((name) => !isVector(name)).map((name) => [at(name), 1] as const),
      ...inner.first.map((name) => [at(name), 0] as const),
    ]);
    const vectors = inner.last.filter(isVector).map((name) => [at(name), 0] as const);
    const kept = largest(current, axisOf, feedForward, decoder.sizes.feedForward);
    current = withIndices(current, {}, axisOf, kept, vectors);
  }
  return changed(current, { feedForward }, current.weights);
}

/** Each layer chooses its own heads. */
function withHeads(decoder: GivenDecoder, heads: number): GivenDecoder {
  const { heads: has, keyHeads, headSize, layers } = decoder.sizes;
  const group = has / keyHeads;
  const isThinned = heads % keyHeads === 0;
  if (!isThinned && heads % group !== 0) {
    throw refused(
      'heads',
      `${has} heads in ${keyHeads} groups cannot become ${heads}`,
      `Keep a multiple of ${keyHeads} (from each group as many) or of ${group} (whole groups).`,
    );
  }
  const weights = new Map(decoder.weights);
  const scope = AXES[decoder.kind].layers;
  for (let layer = 0; layer < layers; layer++) {
    const parts = headParts(decoder, `${scope}.${layer}`);
    const scoreOf = (part: HeadPart) => norms(part, headSize);
    const [queries, keys] = [
      parts.filter(({ of }) => of === 'queries'),
      parts.filter(({ of }) => of === 'keys'),
    ];
    const byQuery = summed(queries.map(scoreOf), has);
    const kept = isThinned
      ? thinned(byQuery, keyHeads, heads / keyHeads)
      : wholeGroups(byQuery, summed(keys.map(scoreOf), keyHeads), heads / group);
    for (const part of parts) {
      const own = part.of === 'queries' ? kept.queries : kept.keys;
      const numbers = own.flatMap((head) =>
        Array.from({ length: headSize }, (_, i) => part.from + head * headSize + i),
      );
      part.kept.push(...numbers);
    }
    for (const [name, { axis, indices }] of joinedParts(parts))
      weights.set(name, take(weights.get(name) as Tensor, axis, indices));
  }
  return changed(decoder, { heads, keyHeads: isThinned ? keyHeads : heads / group }, weights);
}

/** A part of a weight in which each head has `headSize` numbers, one after another. */
interface HeadPart {
  readonly name: string;
  readonly axis: number;
  readonly of: 'queries' | 'keys';
  /** Where the first head begins. */
  readonly from: number;
  readonly content: Tensor;
  readonly heads: number;
  /** The numbers that stay. */
  readonly kept: number[];
}

function headParts({ kind, sizes, weights }: GivenDecoder, scope: string): HeadPart[] {
  const { heads, keyHeads, headSize } = sizes;
  const part = (name: string, axis: number, of: HeadPart['of'], from = 0): HeadPart => ({
    ...{ name: `${scope}/${name}`, axis, of, from, kept: [] },
    content: weights.get(`${scope}/${name}`) as Tensor,
    heads: of === 'queries' ? heads : keyHeads,
  });
  if (kind === 'llama') {
    return [
      part('self_attn/q_proj/weight', 1, 'queries'),
      part('self_attn/o_proj/weight', 0, 'queries'),
      part('self_attn/k_proj/weight', 1, 'keys'),
      part('self_attn/v_proj/weight', 1, 'keys'),
    ];
  }
  // Queries, keys and values lie beside each other.
  const thirds = [0, 1, 2].map((third) => third * heads * headSize);
  return [
    part('attn/c_proj/weight', 0, 'queries'),
    ...thirds.flatMap((from) => [
      part('attn/c_attn/weight', 1, 'queries', from),
      part('attn/c_attn/bias', 0, 'queries', from),
    ]),
  ];
}

/** Of each weight the numbers that stay in all of its parts. */
function joinedParts(parts: readonly HeadPart[]): Map<string, { axis: number; indices: number[] }> {
  const all = new Map<string, { axis: number; indices: number[] }>();
  for (const { name, axis, kept } of parts) {
    const found = all.get(name) ?? { axis, indices: [] };
    found.indices.push(...kept);
    all.set(name, found);
  }
  return all;
}

function thinned(score: readonly number[], groups: number, each: number) {
  const group = score.length / groups;
  const queries = Array.from({ length: groups }, (_, i) => i).flatMap((i) =>
    best(score.slice(i * group, (i + 1) * group), each).map((head) => i * group + head),
  );
  return { queries, keys: Array.from({ length: groups }, (_, i) => i) };
}

function wholeGroups(byQuery: readonly number[], byKey: readonly number[], groups: number) {
  const group = byQuery.length / byKey.length;
  const score = byKey.map(
    (own, i) => own + byQuery.slice(i * group, (i + 1) * group).reduce((a, b) => a + b, 0),
  );
  const keys = best(score, groups);
  return { queries: keys.flatMap((key) => Array.from({ length: group }, (_, i) => key * group + i)), keys };
}

/** The largest ones, in their order. */
function best(score: readonly number[], count: number): number[] {
  return leastFirst(score)
    .slice(score.length - count)
    .sort((a, b) => a - b);
}

/** The L1 norms of a part's heads, each as a part of their mean; nothing of vectors. */
function norms({ content, axis, from, heads }: HeadPart, headSize: number): number[] {
  if (content.dims.length < 2) return new Array<number>(heads).fill(0);
  const slices = sliceNorms(content, axis);
  const own = Array.from({ length: heads }, (_, head) =>
    slices.slice(from + head * headSize, from + (head + 1) * headSize).reduce((a, b) => a + b, 0),
  );
  return relative(own);
}

function largest(
  { weights }: GivenDecoder,
  axisOf: ReadonlyMap<string, number>,
  count: number,
  all: number,
): number[] {
  const each = [...axisOf].map(([name, axis]) => relative(sliceNorms(weights.get(name) as Tensor, axis)));
  return best(summed(each, all), count);
}

function summed(each: readonly (readonly number[])[], length: number): number[] {
  return Array.from({ length }, (_, i) => each.reduce((sum, one) => sum + (one[i] as number), 0));
}

function relative(norm: readonly number[]): number[] {
  const mean = norm.reduce((a, b) => a + b, 0) / norm.length || 1;
  return norm.map((one) => one / mean);
}

/** The L1 norm of each slice of a matrix along an axis. */
function sliceNorms({ dims, data }: Tensor, axis: number): number[] {
  const [rows, columns] = dims as [number, number];
  const sums = new Array<number>(axis === 0 ? rows : columns).fill(0);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      (sums[axis === 0 ? r : c] as number) += Math.abs((data as Float32Array)[r * columns + c] as number);
  return sums;
}

function withIndices(
  decoder: GivenDecoder,
  sizes: Partial<DecoderSizes>,
  axisOf: ReadonlyMap<string, number>,
  kept: readonly number[],
  vectors: readonly (readonly [string, number])[],
): GivenDecoder {
  const weights = new Map(decoder.weights);
  for (const [name, axis] of [...axisOf, ...vectors])
    weights.set(name, take(weights.get(name) as Tensor, axis, kept));
  return changed(decoder, sizes, weights);
}

/** The slices of a vector or a matrix at some indices of an axis. */
function take({ dims, data }: Tensor, axis: number, indices: readonly number[]): Tensor {
  const own = data as Float32Array;
  if (dims.length === 1)
    return float32(
      Float32Array.from(indices, (i) => own[i] as number),
      [indices.length],
    );
  const [rows, columns] = dims as [number, number];
  const [height, width] = axis === 0 ? [indices.length, columns] : [rows, indices.length];
  const taken = new Float32Array(height * width);
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const [row, column] = axis === 0 ? [indices[r] as number, c] : [r, indices[c] as number];
      taken[r * width + c] = own[row * columns + column] as number;
    }
  return float32(taken, [height, width]);
}

function present({ weights }: GivenDecoder, names: readonly string[]): string[] {
  return names.filter((name) => weights.has(name));
}

function inLayers({ kind, sizes }: GivenDecoder, names: readonly string[]): string[] {
  return Array.from({ length: sizes.layers }, (_, layer) => layer).flatMap((layer) =>
    names.map((name) => `${AXES[kind].layers}.${layer}/${name}`),
  );
}

function changed(
  { kind, sizes }: GivenDecoder,
  change: Partial<DecoderSizes>,
  weights: ReadonlyMap<string, Tensor>,
): GivenDecoder {
  return { kind, sizes: { ...sizes, ...change }, weights };
}

function refused(key: string, problem: string, remedy: string): LimbeckError {
  return new LimbeckError('recipe.invalid', problem, { where: `student.${key}, of kind: cut`, remedy });
}
