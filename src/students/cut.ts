import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { uniformLayers } from '../onnx/anatomy/layer-map.ts';
import { cutLayers, dropLayers } from '../onnx/cut-layers.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { defineBackbone, type TextInputs } from './backbone.ts';
import { givenDecoder } from './given-decoder.ts';
import { featuresOfGiven, GIVEN_FEATURES, givenGraph } from './given-model.ts';
import { givenTowers } from './given-towers.ts';
import { poolingOption } from './onnx-file.ts';

const sizes = {
  layers: z
    .union([z.int().positive(), z.array(z.int().min(0)).min(1)])
    .optional()
    .describe(
      "Which of the teacher's layers (blocks of a residual network) it has, counted from 0; a number: so many, evenly over its depth. Their weights are taken over. All when absent.",
    ),
  heads: z
    .int()
    .positive()
    .optional()
    .describe('Attention heads that each layer keeps, those of the largest weights; all when absent.'),
  width: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'The part of hidden states and feed-forward blocks, or of the channels of a residual network, that is kept, of the largest weights; all when absent. Heads keep their size.',
    ),
};
const options = z
  .object({
    ...sizes,
    text: z.strictObject(sizes).optional().describe('Of a teacher of texts and images: its tower of texts.'),
    image: z
      .strictObject(sizes)
      .optional()
      .describe('Of a teacher of texts and images: its tower of images.'),
    pooling: poolingOption,
  })
  .describe(
    'The teacher itself with some of its layers, as DistilBERT begins (Sanh et al., 2019), heads and channels: a transformer of texts or images, a language model (GPT-2, Llama), a residual network, or both towers of CLIP.',
  );

/**
 * A student that is cut out of its teacher: what comes before its layers, some of them, new heads. Of a transformer layer j has the
 * weights of layer `layers[j]`. A residual network (He et al., 2016) keeps the blocks that change the size of its maps, and what lay
 * behind a block that is dropped reads what lay before it (Huang et al., "Deep Networks with Stochastic Depth", 2016). Heads and
 * channels are chosen before, where the model is given (`cutToSize`). A language model is built again, as a student of the teacher's
 * kind, from the weights that are left (`cutDecoder`). Of CLIP each tower is cut, to its vector (`cutTowers`).
 *
 * @throws LimbeckError `recipe.invalid` for layers that the teacher does not have, that are not all alike, or that cannot be dropped
 */
export const cut = defineBackbone({
  kind: 'cut',
  options,
  accepts: ['text', 'image', 'text+image'],
  features: [...GIVEN_FEATURES, 'causal'],
  build(g, make, { layers, pooling }, inputs) {
    if ('image' in inputs) return givenTowers(g, make, inputs.given);
    if (inputs.given?.decoder) return givenDecoder(g, make, inputs.given.decoder, inputs as TextInputs);
    const given = givenGraph(inputs, 'cut');
    const { graph, attach } = given.attach
      ? { graph: given.graph, attach: given.attach }
      : cutGraph(given.graph, layers);
    return featuresOfGiven(g, make, { ...given, graph }, { attach, pooling, weights: 'own' });
  },
});

/** Which layers are kept: these, so many, or all of them. */
export type CutLayers = number | readonly number[] | undefined;

/** Where a cut is asked for, and what it leaves. */
export interface CutPlace {
  /** The recipe's section, for errors; `student` when absent. */
  readonly key?: string;
  /** Whether what comes after the layers stays, to the model's first output. */
  readonly keepsEnd?: boolean;
}

/** The layers that a cut of a transformer keeps of so many, in their order. @throws LimbeckError `recipe.invalid` */
export function keptLayers(layers: CutLayers, depth: number, key = 'student'): readonly number[] {
  if (layers === undefined) return Array.from({ length: depth }, (_, layer) => layer);
  requireDepth(layers, depth, key);
  return typeof layers === 'number' ? uniformLayers(layers, depth).map(({ teacher }) => teacher) : layers;
}

/**
 * The blocks that a cut of a residual network keeps.
 *
 * @param shapes of what each gives: one that gives another shape than the block before it cannot be dropped
 * @throws LimbeckError `recipe.invalid`
 */
export function keptBlocks(layers: CutLayers, shapes: readonly string[], key = 'student'): readonly number[] {
  if (layers === undefined) return shapes.map((_, block) => block);
  requireDepth(layers, shapes.length, key);
  const needed = shapes.flatMap((shape, i) => (i === 0 || shape !== shapes[i - 1] ? [i] : []));
  const missing = typeof layers === 'number' ? undefined : needed.find((block) => !layers.includes(block));
  if (missing !== undefined || (typeof layers === 'number' && layers < needed.length)) {
    throw new LimbeckError(
      'recipe.invalid',
      missing === undefined
        ? `${layers} blocks are too few: ${needed.length} change the size of the maps`
        : `block ${missing} ${missing === 0 ? 'is the first one' : 'changes the size of the maps'}, so it cannot be dropped`,
      { where: `${key}.layers`, remedy: `Keep ${needed.join(', ')}.` },
    );
  }
  if (typeof layers !== 'number') return layers;
  const free = shapes.flatMap((_, i) => (needed.includes(i) ? [] : [i]));
  const more = uniformLayers(layers - needed.length, free.length).map(
    ({ teacher }) => free[teacher] as number,
  );
  return [...needed, ...more].sort((a, b) => a - b);
}

function requireDepth(layers: number | readonly number[], depth: number, key: string): void {
  const strange =
    typeof layers === 'number'
      ? undefined
      : layers.find((layer, i) => layer >= depth || (i > 0 && layer <= (layers[i - 1] as number)));
  const tooMany = typeof layers === 'number' && layers > depth;
  if (strange === undefined && !tooMany) return;
  throw new LimbeckError(
    'recipe.invalid',
    tooMany
      ? `the teacher has ${depth} layers, not ${layers}`
      : `layer ${strange} is not one of the teacher's in ascending order`,
    {
      where: `${key}.layers`,
      remedy: `The teacher's layers are 0 to ${depth - 1}: list some of them, in their order.`,
    },
  );
}

/**
 * Some layers of a model, in operators that can be differentiated, with the value that they end in.
 *
 * @param keepsEnd whether what comes after the layers stays, to the model's first output
 * @throws LimbeckError `recipe.invalid` as a student of kind `cut`
 */
export function cutGraph(
  graph: Graph,
  layers: CutLayers,
  { key = 'student', keepsEnd = false }: CutPlace = {},
): { graph: Graph; attach: string } {
  const { family, layers: found } = describeModel(graph);
  const hidden = found.flatMap((layer) => layer.hidden?.name ?? []);
  const maps = found.flatMap((layer) => layer.features ?? []);
  if (family === 'convolutional' && maps.length > 0) {
    const ends = maps.map(({ name }) => name);
    const kept = keptBlocks(
      layers,
      maps.map(({ channels, height, width }) => `${channels}x${height}x${width}`),
      key,
    );
    const rest = dropLayers(graph, ends, kept, keepsEnd);
    return { graph: rest, attach: rest.outputs[0]?.name as string };
  }
  if (family !== 'transformer' || hidden.length !== found.length || hidden.length === 0) {
    throw new LimbeckError('recipe.invalid', 'the teacher has no layers that could be left out', {
      where: 'student.kind: cut',
      remedy:
        'Take a transformer or a residual network, or a student of another kind (student: { kind: onnx } begins with a whole model).',
    });
  }
  const kept = keptLayers(layers, hidden.length, key);
  const cutOut = cutLayers(graph, hidden, kept, keepsEnd);
  if (cutOut && keepsEnd) return { graph: cutOut, attach: cutOut.outputs[0]?.name as string };
  if (cutOut) return withLastNorm(graph, cutOut, hidden.at(-1) as string);
  throw new LimbeckError('recipe.invalid', "the teacher's layers do not have the same weights", {
    where: `${key}.layers: [${kept.join(', ')}]`,
    remedy: `Take the first ones: layers: [${kept.map((_, i) => i).join(', ')}].`,
  });
}

/**
 * Some layers of a model with the normalisation that comes after all of them, where there is one (transformers that normalise before
 * each block): heads that attach before it would see numbers of another size.
 */
function withLastNorm(whole: Graph, cutOut: Graph, last: string): { graph: Graph; attach: string } {
  const readers = whole.nodes.filter(({ inputs }) => inputs.some((value) => value?.name === last));
  const [end] = cutOut.outputs as [Value];
  const [norm, ...others] = readers;
  const [, ...affine] = norm?.inputs ?? [];
  const output = norm?.outputs[0];
  if (others.length > 0 || norm?.opType !== 'LayerNormalization' || !output)
    return { graph: cutOut, attach: end.name };
  const initializers = new Map(cutOut.initializers);
  for (const value of affine) {
    const content = value && whole.initializers.get(value);
    if (!value || !content) return { graph: cutOut, attach: end.name };
    initializers.set(value, content);
  }
  const node = { ...norm, inputs: [end, ...affine], outputs: [output] };
  const graph = { ...cutOut, nodes: [...cutOut.nodes, node], initializers, outputs: [output] };
  return { graph, attach: output.name };
}
