import { z } from 'zod';
import { checkHeads } from './attention.ts';
import { defineBackbone } from './backbone.ts';
import { imagePatches } from './image-patches.ts';
import { layerNorm } from './layers.ts';
import { mapFeatures, pooledFeatures } from './linear-features.ts';
import { preNormLayer } from './pre-norm-layer.ts';
import { freeSize, size } from './size-options.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

/** Of every weight at the start. */
const DEVIATION = 0.02;
const EPSILON = 1e-12;

const options = z
  .object({
    ...transformerOptions({ width: 192, layers: 6, kind: 'Encoder' }),
    patch: size(256, 4, 'Pixels along each side of a patch; they divide the image.'),
    feedForward: freeSize(MOST_INNER, `${INNER}; four times the width when absent.`),
  })
  .describe('A vision transformer (Dosovitskiy et al., 2021): patches of an image, read as tokens.');

/**
 * The vision transformer (Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", 2021,
 * section 3.1; arXiv 2010.11929): patches and a class token, learnt positions, normalisation before each block, GELU; the class
 * token answers. Values are named as the modules of transformers are (`encoder/layer.0/attention/attention/query/weight`); weights
 * are [inputs, outputs]. ViT-Tiny of 224 pixels: width 192, heads 3, layers 12, patch 16 (Touvron et al., 2021; arXiv 2012.12877).
 *
 * Input `pixel_values`, float32 [batch, channels, height, width]. Taps: `encoder/layer.N/output` [batch, 1 + patches, width],
 * `encoder/layer.N/attention/attention/probabilities` [batch, heads, 1 + patches, 1 + patches]. Its map has a place for each patch.
 *
 * @throws LimbeckError `recipe.invalid` when heads do not divide the width, or patches not the image
 */
export const vit = defineBackbone({
  kind: 'vit',
  options,
  accepts: ['image'],
  features: ['pooled', 'map'],
  build(g, make, { width, heads, layers, patch, feedForward = 4 * width }, inputs) {
    checkHeads(heads, width);
    const cut = { patch, width, deviation: DEVIATION, bias: true };
    const { hidden, rows, columns } = g.scope('embeddings', () =>
      imagePatches(g, make, inputs, cut, {
        projection: 'patch_embeddings/projection',
        classToken: 'cls_token',
        positions: 'position_embeddings',
      }),
    );
    let x = hidden;
    for (let layer = 0; layer < layers; layer++) {
      x = g.scope(`encoder/layer.${layer}`, () =>
        preNormLayer(g, make, x, {
          ...{ width, heads, feedForward, epsilon: EPSILON },
          deviations: { attention: DEVIATION, up: DEVIATION, residual: DEVIATION },
          activation: (of) => g.op('Gelu', [of]),
          names: {
            norms: ['layernorm_before', 'layernorm_after'],
            attention: 'attention/attention',
            projections: ['query', 'key', 'value'],
            joined: 'attention/output/dense',
            up: 'intermediate/dense',
            down: 'output/dense',
          },
        }),
      );
    }
    const last = layerNorm(g, make, 'layernorm', x, width, EPSILON);
    return {
      pooled: () => pooledFeatures(g, make, g.squeeze(g.slice(last, 1, 0, 1), [1]), width),
      map() {
        const patches = g.transpose(g.slice(last, 1, 1, 1 + rows * columns), [0, 2, 1]);
        return mapFeatures(g, make, g.reshape(patches, [0, width, rows, columns]), width);
      },
    };
  },
});
