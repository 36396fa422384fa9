import { LimbeckError } from '../errors.ts';
import type { Dim, Graph, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { addDims } from '../onnx/shape-inference/size-expression.ts';
import { causalBias } from './attention.ts';
import { CACHE_SEAMS } from './causal-attention.ts';
import { tokenPositions } from './token-positions.ts';

// The names that exporters of transformers give these sizes. transformers.js reads them: an empty cache has `batch_size` rows, and
// every other size that it does not know is 0.
const BATCH = 'batch_size';
const SEQUENCE = 'sequence_length';
const PAST = 'past_sequence_length';

/** What one layer keeps of the tokens that it has read. */
interface CachedLayer {
  /** float32 [B, heads, size, T] */
  readonly keys: TypedValue;
  /** float32 [B, heads, T, size] */
  readonly values: TypedValue;
}

/** What a model keeps at a seam. */
interface KeptPart {
  /** The input, [B, heads, P, size]. */
  readonly past: TypedValue;
  /** The name of the output. */
  readonly present: string;
  /** Whether the seam has [B, heads, size, T]. */
  readonly isTurned: boolean;
}

/**
 * A decoder (`buildGpt2`, `buildLlama`, with whatever heads, weights and compression) that reads a text in parts: what it computed of
 * earlier tokens comes in and goes out again, with that of the new ones. One model serves prompts (with a past of no tokens) and what
 * follows. The layout is that of transformers' exporters and of transformers.js:
 *
 * - inputs `input_ids` int64 [B, T], `attention_mask` int64 [B, P + T] over past and new tokens, and for each layer N
 *   `past_key_values.N.key` and `past_key_values.N.value`, float32 [B, heads, P, size];
 * - outputs: those it has, `logits` float32 [B, T, vocabulary] among them, then `present.N.key` and `present.N.value`,
 *   float32 [B, heads, P + T, size].
 *
 * There are no `position_ids`: a token's position is the number of tokens that the mask has before it, so that texts may be padded
 * on the left.
 *
 * @throws LimbeckError `export.no-cache` for a model that is no such decoder
 */
export function withKeyValueCache(graph: Graph): Graph {
  const layers = cachedLayers(graph);
  const g = new GraphBuilder(graph.opsets.get(''));
  const ids = g.input('input_ids', 'int64', [BATCH, SEQUENCE]);
  const mask = g.input('attention_mask', 'int64', [BATCH, addDims(PAST, SEQUENCE)]);
  /** What is kept at each seam, by the seam's name. */
  const kept = new Map<string, KeptPart>();
  layers.forEach(({ keys, values }, n) => {
    for (const [part, { name, type, shape }] of [
      ['key', keys],
      ['value', values],
    ] as const) {
      const isTurned = part === 'key';
      const sizes = [BATCH, shape[1] as Dim, PAST, shape[isTurned ? 2 : 3] as Dim];
      const past = g.input(`past_key_values.${n}.${part}`, type, sizes);
      kept.set(name, { past, present: `present.${n}.${part}`, isTurned });
    }
  });
  const [first] = kept.values();
  const earlier = g.gather(g.shapeOf((first as KeptPart).past), g.scalar(2, 'int64'));
  // Where the new tokens are among all that were read, padding included: int64 [T].
  const places = g.add(tokenPositions(g, ids), earlier);
  const made = new Map<string, TypedValue>();
  const copied = g.copy(
    graph,
    new Map([
      ['input_ids', ids],
      ['attention_mask', mask],
    ]),
    '',
    (node, { read }) => {
      const name = node.outputs[0]?.name ?? '';
      if (isSeam(name, CACHE_SEAMS.positions)) return [positionsAt(g, mask, places)];
      if (isSeam(name, CACHE_SEAMS.bias)) return [causalBias(g, mask, tokenPositions(g, mask), places)];
      const part = kept.get(name);
      const here = part && read(node.inputs[0] as Value);
      if (!here) return undefined;
      const turned = (x: TypedValue) => (part.isTurned ? g.transpose(x, [0, 1, 3, 2]) : x);
      const all = g.concat([part.past, turned(here)], 2);
      made.set(part.present, all);
      return [turned(all)];
    },
  );
  for (const output of graph.outputs) g.output(copied.get(output) as TypedValue);
  for (const { present } of kept.values()) g.output(made.get(present) as TypedValue, present);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return nameOutputs(removeDeadNodes(g.build(graph.name)));
}

/** The position of each new token in its own text, int64 [B, T], by the mask over all tokens so far [B, P + T]. */
function positionsAt(g: GraphBuilder, mask: TypedValue, places: TypedValue): TypedValue {
  const counted = g.op('CumSum', [mask, g.scalar(1, 'int64')]);
  return g.max(g.sub(g.gather(counted, places, 1), 1), 0);
}

/** The layers of a decoder, in the order in which they compute. */
function cachedLayers(graph: Graph): CachedLayer[] {
  const inputs = graph.inputs.map(({ name }) => name);
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map(
    graph.inputs.map(({ name, type, shape }) => [name, g.input(name, type ?? 'int64', shape ?? [])]),
  );
  // Files do not say the shapes of inner values.
  const named = [...g.inline(graph, bound).values()];
  const [keys, values, positions, bias] = [
    CACHE_SEAMS.keys,
    CACHE_SEAMS.values,
    CACHE_SEAMS.positions,
    CACHE_SEAMS.bias,
  ].map((seam) => named.filter(({ name }) => isSeam(name, seam))) as [
    TypedValue[],
    TypedValue[],
    TypedValue[],
    TypedValue[],
  ];
  const isDecoder =
    keys.length > 0 && keys.length === values.length && bias.length === 1 && positions.length <= 1;
  if (isDecoder && inputs.toSorted().join() === 'attention_mask,input_ids')
    return keys.map((key, i) => ({ keys: key, values: values[i] as TypedValue }));
  throw new LimbeckError(
    'export.no-cache',
    'the model has no keys and values of attention that could be kept',
    {
      where: `${graph.name}, with the inputs ${inputs.join(', ')}`,
      remedy: 'Take a decoder of Limbeck: a student gpt2 or llama.',
    },
  );
}

function isSeam(name: string, seam: string): boolean {
  return name === seam || name.endsWith(`/${seam}`);
}
