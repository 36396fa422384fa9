import { findValue, type Graph, type Value } from '../onnx/graph.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { replaceReads } from '../onnx/replace-values.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import { SENTENCE_EMBEDDING } from '../teachers/teacher-source.ts';

/** What was trained of a model whose text tower is an encoder that stays as it came: it reads the encoder's vectors. */
export const TRAINED_FILE = 'onnx/trained_model.onnx';

/** An encoder in a model, whose weights are not the model's own. */
export interface FrozenEncoder {
  /** Where readers find it, as `config.json` says it: `use-lite`. */
  readonly kind: string;
  /** The value of the model that it makes, float32 [batch, width]. */
  readonly vectors: string;
}

/**
 * The part of a dual encoder that was trained: without the encoder of its texts, and with that one's vectors as the input
 * `sentence_embedding`; outputs `text_embeds` and `image_embeds`.
 *
 * @throws Error for a graph without such a value
 */
export function withoutEncoder(graph: Graph, { vectors }: FrozenEncoder): Graph {
  const made = findValue(graph, vectors);
  if (!made?.type || !made.shape) throw new Error(`the graph has no value ${vectors}`);
  const [, ...width] = made.shape;
  const given: Value = { name: SENTENCE_EMBEDDING, type: made.type, shape: ['batch', ...width] };
  const replaced = new Map([[made, given]]);
  const nodes = graph.nodes.map((node) => replaceReads(node, replaced));
  const part = removeDeadNodes(withOutputs({ ...graph, nodes }, [TEXT_EMBEDS, IMAGE_EMBEDS]));
  const read = new Set(part.nodes.flatMap(({ inputs }) => inputs));
  return { ...part, inputs: [given, ...part.inputs].filter((input) => read.has(input)) };
}
