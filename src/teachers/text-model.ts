import type { TokenTypes } from '../data/modalities/text/tokenizer/special-tokens.ts';
import { LimbeckError } from '../errors.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { foldConstants } from '../onnx/passes/fold-constants.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { maskedMean } from './masked-mean.ts';
import { ATTENTION_MASK, INPUT_IDS, LOGITS, SENTENCE_EMBEDDING } from './teacher-source.ts';
import { describeValue, type NamedInputs, type TextRole, textInputs } from './text-inputs.ts';

const ONE_TYPE: TokenTypes = { text: 0, special: new Map() };

/**
 * A read model with the inputs that every text teacher has: `input_ids` and `attention_mask`, int64
 * ['batch', 'sequence']. Other names and types are theirs inside; `token_type_ids` and `position_ids` are computed
 * there. Constant nodes and what is computed
 * of them become initializers, whose contents the gradients can read; `constants` names those that are floats: unlike
 * the model's own initializers they are no weights.
 *
 * @throws LimbeckError `teacher.inputs` (with the inputs it has), `teacher.operator`
 */
export function normalizeTextModel(
  graph: Graph,
  where: string,
  { named, types = ONE_TYPE }: { readonly named?: NamedInputs; readonly types?: TokenTypes } = {},
): { readonly model: Graph; readonly constants: readonly string[] } {
  const roles = textInputs(graph, where, named);
  const g = new GraphBuilder(graph.opsets.get(''));
  const ids = g.input(INPUT_IDS, 'int64', ['batch', 'sequence']);
  const mask = g.input(ATTENTION_MASK, 'int64', ['batch', 'sequence']);
  const sources: Record<TextRole, () => TypedValue> = {
    input_ids: () => ids,
    attention_mask: () => mask,
    token_type_ids: () => tokenTypes(g, ids, types),
    position_ids: () => positions(g, mask),
  };
  const bound = new Map<string, TypedValue>();
  for (const [{ name, type }, role] of roles) bound.set(name, g.cast(sources[role](), type ?? 'int64'));
  try {
    const values = g.inline(graph, bound);
    for (const output of graph.outputs) g.output(values.get(output.name) as TypedValue);
  } catch (cause) {
    throw new LimbeckError('teacher.operator', 'the shapes in the model cannot be told', {
      where: `${where}: ${(cause as Error).message}`,
      remedy: 'Export it with standard operators and with dynamic batch and sequence sizes.',
      cause,
    });
  }
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  const built = g.build(graph.name);
  const floats = ({ initializers }: Graph) =>
    [...initializers].filter(([, { type }]) => isFloat(type)).map(([value]) => value);
  const weights = new Set(floats(built));
  const folded = foldConstants(built, { parameters: weights });
  const model = folded === built ? built : removeDeadNodes(folded);
  const constants = floats(model).filter((value) => !weights.has(value));
  return { model, constants: constants.map(({ name }) => name) };
}

/** Places in the text, counted over the mask as transformers does for decoders: 0 for the first token, wherever it is. */
function positions(g: GraphBuilder, mask: TypedValue): TypedValue {
  const counted = g.op('CumSum', [mask, g.scalar(1, 'int64')]);
  return g.op('Max', [g.sub(counted, 1), g.scalar(0, 'int64')]);
}

/** What a tokenizer says of the kind of each token of a single text. */
function tokenTypes(g: GraphBuilder, ids: TypedValue, { text, special }: TokenTypes): TypedValue {
  const all = g.add(g.mul(ids, 0), text);
  return [...special].reduce((types, [id, type]) => g.where(g.equal(ids, id), type, types), all);
}

/** Outputs that hold a vector a text or a token, the usual ones first. */
const EMBEDDINGS = [
  SENTENCE_EMBEDDING,
  'pooler_output',
  'embeddings',
  'last_hidden_state',
  'token_embeddings',
];

/**
 * The model with an output that is a vector a text, float32 [batch, width]: one of its own or, where it only has one
 * a token, the mean of those over the text.
 *
 * @throws LimbeckError `teacher.outputs` (with the outputs it has)
 */
export function findEmbedding(graph: Graph, where: string): { model: Graph; output: string; width: number } {
  const usable = graph.outputs.filter(
    ({ type, shape }) =>
      type === 'float32' && (shape?.length === 2 || shape?.length === 3) && typeof shape.at(-1) === 'number',
  );
  const named = EMBEDDINGS.map((name) => usable.find((output) => output.name === name)).find(Boolean);
  const found = named ?? usable.find((output) => output.name !== LOGITS);
  if (!found) {
    throw new LimbeckError('teacher.outputs', 'the model has no output that a head could be trained on', {
      where: `${where}: its outputs are ${graph.outputs.map(describeValue).join('; ')}`,
      remedy: `Export it with ${EMBEDDINGS.slice(0, 2).join(', ')} or last_hidden_state (float32, known width).`,
    });
  }
  const width = found.shape?.at(-1) as number;
  if (found.shape?.length === 2) return { model: graph, output: found.name, width };
  return { model: withMeanOf(graph, found.name), output: SENTENCE_EMBEDDING, width };
}

function withMeanOf(graph: Graph, perToken: string): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map(
    graph.inputs.map((input) => [input.name, g.input(input.name, 'int64', input.shape ?? [])]),
  );
  const values = g.inline(graph, bound);
  const mask = g.cast(bound.get(ATTENTION_MASK) as TypedValue, 'float32');
  g.output(maskedMean(g, values.get(perToken) as TypedValue, mask, SENTENCE_EMBEDDING));
  for (const output of graph.outputs) g.output(values.get(output.name) as TypedValue);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}
