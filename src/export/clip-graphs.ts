import type { Dim, Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';

/** The models of a dual encoder, as CLIP's exports divide it. */
export interface ClipGraphs {
  /** Any number of texts and any number of images: `logits_per_image` [images, texts], its transpose `logits_per_text`, both vectors. */
  readonly model: Graph;
  /** Texts alone: `text_embeds`. */
  readonly text: Graph;
  /** Images alone: `image_embeds`. */
  readonly vision: Graph;
}

/**
 * Divides a dual encoder in its evaluation form (outputs `text_embeds` and `image_embeds`, of length 1) into the models that
 * transformers.js runs for `zero-shot-image-classification` (CLIPModel), for texts alone and for images alone.
 *
 * @param logitScale what cosines are multiplied by before the softmax over texts: 1 / temperature
 * @param pairs the name of one more output of the whole: the vectors of text i and image i beside each other, [pairs, 2 * width],
 *   by which pairs are measured
 */
export function clipGraphs(graph: Graph, logitScale: number, pairs?: string): ClipGraphs {
  const [text, vision] = [towerOf(graph, TEXT_EMBEDS), towerOf(graph, IMAGE_EMBEDS)];
  const g = new GraphBuilder(graph.opsets.get(''));
  const texts = joined(g, text, 'text_batch', TEXT_EMBEDS);
  const images = joined(g, vision, 'image_batch', IMAGE_EMBEDS);
  const perImage = g.mul(g.matMul(images, g.transpose(texts, [1, 0])), logitScale);
  g.output(perImage, 'logits_per_image');
  g.output(g.transpose(perImage, [1, 0]), 'logits_per_text');
  g.output(texts);
  g.output(images);
  if (pairs) g.output(besides(g, texts, images), pairs);
  return { model: nameOutputs(g.build(graph.name)), text, vision };
}

/** Text i and image i, as far as there are both. */
function besides(g: GraphBuilder, texts: TypedValue, images: TypedValue): TypedValue {
  const rows = (x: TypedValue) => g.op('Shape', [x], { start: 0, end: 1 });
  const both = g.op('Min', [rows(texts), rows(images)]);
  const first = (x: TypedValue) => g.op('Slice', [x, g.ints([0]), both, g.ints([0])]);
  return g.concat([first(texts), first(images)], 1);
}

/** The part of a graph that makes one output, with the inputs that it needs. */
export function towerOf(graph: Graph, output: string): Graph {
  const part = removeDeadNodes(withOutputs(graph, [output]));
  const used = new Set(part.nodes.flatMap(({ inputs }) => inputs.map((value) => value?.name)));
  return { ...part, inputs: part.inputs.filter(({ name }) => used.has(name)) };
}

/** Copies a tower into `g`; there are as many texts as one likes for an image, so that their batches are called differently. */
function joined(g: GraphBuilder, part: Graph, batch: string, output: string): TypedValue {
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of part.inputs) {
    if (!type || !shape) throw new Error(`input ${name} has no type or shape`);
    const [, ...rest] = shape as readonly Dim[];
    bound.set(name, g.input(name, type, [batch, ...rest]));
  }
  const value = g.inline(part, bound).get(output);
  if (!value) throw new Error(`the graph has no output ${output}`);
  return value;
}
