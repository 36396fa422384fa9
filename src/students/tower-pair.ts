import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { BackboneFeatures, Features } from '../targets/features.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';

/**
 * Features of two towers, each of which ends in the vector of a sample; they have no value of their own. Projected to 2 * width numbers they are both vectors beside
 * each other, [batch, 2 * width], which are also values named `text_embeds` and `image_embeds`, of length 1 each; the layers are
 * `text_projection` and `visual_projection`.
 */
export function towerPair(
  g: GraphBuilder,
  { text, image }: { readonly text: Features; readonly image: Features },
): BackboneFeatures {
  return {
    pooled: () => ({
      width: text.width + image.width,
      project(_scope, outputs) {
        if (outputs % 2 !== 0) throw new Error(`two vectors of one width in ${outputs} numbers`);
        const vectors = [
          g.identity(unitLength(g, text.project('text_projection', outputs / 2)), TEXT_EMBEDS),
          g.identity(unitLength(g, image.project('visual_projection', outputs / 2)), IMAGE_EMBEDS),
        ];
        return g.concat(vectors, 1);
      },
    }),
  };
}

/** Vectors [batch, width] divided by their length; a vector of zeros stays one. */
function unitLength(g: GraphBuilder, x: TypedValue): TypedValue {
  const length = g.sqrt(g.reduceSumSquare(x, { axes: [1], keepDims: true }));
  return g.div(x, g.max(length, 1e-9));
}
