import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { uniformLayers } from '../onnx/anatomy/layer-map.ts';
import { cutLayers } from '../onnx/cut-layers.ts';
import type { Graph } from '../onnx/graph.ts';
import { defineBackbone } from './backbone.ts';
import { featuresOfGiven, givenGraph } from './given-model.ts';
import { poolingOption } from './onnx-file.ts';

const options = z
  .object({
    layers: z
      .union([z.int().positive(), z.array(z.int().min(0)).min(1)])
      .describe(
        "Which of the teacher's layers it has, counted from 0; a number: so many, evenly over its depth. Their weights are taken over.",
      ),
    pooling: poolingOption,
  })
  .describe(
    'The teacher itself with some of its layers (a transformer of texts), as DistilBERT begins (Sanh et al., 2019). Narrower by `compress: [{ kind: prune }]`.',
  );

/**
 * A student that is cut out of its teacher: its embeddings, some of its layers, new heads. Weights are those of the layers that
 * it keeps, so that layer j of it and layer `layers[j]` of the teacher begin alike (`keptLayers`).
 *
 * @throws LimbeckError `recipe.invalid` for layers that the teacher does not have, or that are not all alike
 */
export const cut = defineBackbone({
  kind: 'cut',
  options,
  accepts: ['text'],
  build(g, make, { layers, pooling }, inputs) {
    const given = givenGraph(inputs, 'cut');
    const { graph, attach } = cutGraph(given.graph, layers);
    return featuresOfGiven(g, make, { ...given, graph }, { attach, pooling, weights: 'own' });
  },
});

/** The layers that a cut keeps of so many, in their order. @throws LimbeckError `recipe.invalid` */
export function keptLayers(layers: number | readonly number[], depth: number): readonly number[] {
  const kept =
    typeof layers === 'number'
      ? uniformLayers(Math.min(layers, depth), depth).map(({ teacher }) => teacher)
      : layers;
  const strange = kept.find((layer, i) => layer >= depth || (i > 0 && layer <= (kept[i - 1] as number)));
  const tooMany = typeof layers === 'number' && layers > depth;
  if (strange === undefined && !tooMany) return kept;
  throw new LimbeckError(
    'recipe.invalid',
    tooMany
      ? `the teacher has ${depth} layers, not ${layers}`
      : `layer ${strange} is not one of the teacher's in ascending order`,
    {
      where: 'student.layers',
      remedy: `The teacher's layers are 0 to ${depth - 1}: list some of them, in their order.`,
    },
  );
}

function cutGraph(graph: Graph, layers: number | readonly number[]): { graph: Graph; attach: string } {
  const { family, layers: found } = describeModel(graph);
  const hidden = found.flatMap((layer) => layer.hidden?.name ?? []);
  if (family !== 'transformer' || hidden.length !== found.length || hidden.length === 0) {
    throw new LimbeckError('recipe.invalid', "the teacher's layers are not those of a transformer", {
      where: 'student.kind: cut',
      remedy: 'Take a student of another kind (student: { kind: onnx } begins with a whole model).',
    });
  }
  const kept = keptLayers(layers, hidden.length);
  const cutOut = cutLayers(graph, hidden, kept);
  if (cutOut) return { graph: cutOut, attach: hidden[kept.length - 1] as string };
  throw new LimbeckError('recipe.invalid', "the teacher's layers do not have the same weights", {
    where: `student.layers: [${kept.join(', ')}]`,
    remedy: `Take the first ones: layers: [${kept.map((_, i) => i).join(', ')}].`,
  });
}
