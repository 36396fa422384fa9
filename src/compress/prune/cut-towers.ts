import { prepareForGradients } from '../../autodiff/prepare.ts';
import { isFloat } from '../../onnx/data-type.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { GivenModel, GivenTowers } from '../../students/backbone.ts';
import { type CutSize, cutToSize } from './cut-to-size.ts';

/** What is added to scores of attention to hide a token is below this. */
const HIDDEN = -1e9;

/**
 * Both towers of a model of texts and images, each cut to its size and with what makes its vector: pooling, last normalisation and
 * projection stay, and keep their weights. The weight inheritance of Wu et al., "TinyCLIP: CLIP Distillation via Affinity Mimicking
 * and Weight Inheritance" (2023, section 3.2; arXiv 2309.12314), by the sizes of weights instead of chosen layers and channels.
 *
 * @param towers each with its vector as the only output
 * @throws LimbeckError `recipe.invalid` as `cutToSize`, with the tower's section of the recipe
 */
export function cutTowers(
  towers: { readonly text: Graph; readonly image: Graph },
  sizes: { readonly text: CutSize; readonly image: CutSize },
): GivenTowers {
  const tower = (side: 'text' | 'image') =>
    cutToSize(withConstants(towers[side]), sizes[side], { key: `student.${side}`, keepsEnd: true });
  return { text: tower('text'), image: tower('image') };
}

/** What exporters write beside the weights is not trained: numbers that were nodes in the file, and what hides later tokens. */
function withConstants(graph: Graph): GivenModel {
  const own = new Set([...graph.initializers.keys()].map(({ name }) => name));
  const prepared = prepareForGradients(graph);
  const constants = [...prepared.initializers].flatMap(([{ name }, content]) =>
    isFloat(content.type) && (!own.has(name) || hides(content)) ? [name] : [],
  );
  return { graph: prepared, constants };
}

function hides({ data }: Tensor): boolean {
  return (data as Float32Array).some((value) => value <= HIDDEN);
}
