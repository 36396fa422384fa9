import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Features } from '../targets/features.ts';
import { checkHeads } from './attention.ts';
import { defineBackbone, type ImageInputs, type TextInputs } from './backbone.ts';
import { textSoFar } from './causal-attention.ts';
import { imagePatches } from './image-patches.ts';
import { layerNorm, withoutBias } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';
import { type PreNormLayer, preNormLayer } from './pre-norm-layer.ts';
import { freeSize, size } from './size-options.ts';
import { tokenInputs } from './token-inputs.ts';
import { lastToken } from './token-positions.ts';
import { towerPair } from './tower-pair.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

/** Of tokens at the start (section 2.4 of the paper's code). */
const TOKEN_DEVIATION = 0.02;
const EPSILON = 1e-5;
const feedForward = freeSize(MOST_INNER, `${INNER}; four times the width when absent.`);

const options = z
  .object({
    text: z
      .strictObject({ ...transformerOptions({ width: 256, layers: 3, kind: 'Encoder' }), feedForward })
      .prefault({})
      .describe('The transformer that reads texts.'),
    image: z
      .strictObject({
        ...transformerOptions({ width: 256, layers: 10, kind: 'Encoder' }),
        patch: size(256, 16, 'Pixels along each side of a patch; they divide the image.'),
        feedForward,
      })
      .prefault({})
      .describe('The vision transformer that reads images.'),
  })
  .describe(
    'CLIP (Radford et al., 2021): a transformer of texts and one of images. Without sizes that of TinyCLIP, 8 and 3 million weights.',
  );

type TowerOptions = Pick<PreNormLayer, 'width' | 'heads'> & {
  readonly layers: number;
  readonly feedForward?: number | undefined;
};

/**
 * CLIP (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021, section 2.4; arXiv
 * 2103.00020): two transformers that normalise before each block, with GELU's sigmoid form. A text is read from left to right, and
 * its last token answers; of an image the class token. The sizes when nothing is said are those of the smallest student of Wu et al.,
 * "TinyCLIP: CLIP Distillation via Affinity Mimicking and Weight Inheritance", 2023; arXiv 2309.12314 (ViT-8M/16, Text-3M).
 *
 * Inputs `input_ids`, `attention_mask` and `pixel_values`. Values are named as the modules of transformers are, under `text_model/` and
 * `vision_model/`; the projections, without bias, are `text_projection` and `visual_projection`. Taps of both:
 * `encoder/layers.N/output` and `encoder/layers.N/self_attn/probabilities`. Features as those of `dual-encoder`.
 *
 * @throws LimbeckError `recipe.invalid` when heads do not divide the width, or patches not the image
 */
export const clip = defineBackbone({
  kind: 'clip',
  options,
  accepts: ['text+image'],
  features: ['pooled'],
  build(g, make, { text, image }, inputs) {
    return towerPair(g, {
      text: g.scope('text_model', () => textTower(g, make, text, inputs.text)),
      image: g.scope('vision_model', () => imageTower(g, make, image, inputs.image)),
    });
  },
});

function textTower(
  g: GraphBuilder,
  make: ParameterMaker,
  chosen: TowerOptions,
  { vocabularySize, maxLength }: TextInputs,
): Features {
  const { width } = chosen;
  const { ids, attentionMask } = tokenInputs(g);
  const { positions, bias } = textSoFar(g, ids, attentionMask);
  const embedded = g.scope('embeddings', () => {
    const table = (name: string, rows: number) =>
      make.normal(`${name}/weight`, [rows, width], TOKEN_DEVIATION);
    const tokens = g.gather(table('token_embedding', vocabularySize), ids);
    return g.add(tokens, g.gather(table('position_embedding', maxLength), positions));
  });
  const last = layerNorm(
    g,
    make,
    'final_layer_norm',
    encoded(g, make, embedded, chosen, bias),
    width,
    EPSILON,
  );
  return projected(g, make, lastToken(g, last, attentionMask), width);
}

function imageTower(
  g: GraphBuilder,
  make: ParameterMaker,
  chosen: TowerOptions & { readonly patch: number },
  inputs: ImageInputs,
): Features {
  const { width, patch } = chosen;
  const { hidden } = g.scope('embeddings', () =>
    imagePatches(
      g,
      make,
      inputs,
      { patch, width, deviation: width ** -0.5, bias: false },
      {
        projection: 'patch_embedding',
        classToken: 'class_embedding',
        positions: 'position_embedding/weight',
      },
    ),
  );
  // Its name in transformers, spelt so.
  const first = layerNorm(g, make, 'pre_layrnorm', hidden, width, EPSILON);
  const all = encoded(g, make, first, chosen);
  const token = g.squeeze(g.slice(all, 1, 0, 1), [1]);
  return projected(g, make, layerNorm(g, make, 'post_layernorm', token, width, EPSILON), width);
}

function encoded(
  g: GraphBuilder,
  make: ParameterMaker,
  from: TypedValue,
  { width, heads, layers, feedForward = 4 * width }: TowerOptions,
  bias?: TypedValue,
): TypedValue {
  checkHeads(heads, width);
  let x = from;
  for (let layer = 0; layer < layers; layer++) {
    x = g.scope(`encoder/layers.${layer}`, () =>
      preNormLayer(g, make, x, {
        ...{ width, heads, feedForward, epsilon: EPSILON },
        deviations: {
          attention: width ** -0.5,
          up: (2 * width) ** -0.5,
          residual: (2 * layers * width) ** -0.5,
        },
        bias,
        activation: (of) => g.mul(of, g.sigmoid(g.mul(of, 1.702))),
        names: {
          norms: ['layer_norm1', 'layer_norm2'],
          attention: 'self_attn',
          projections: ['q_proj', 'k_proj', 'v_proj'],
          joined: 'self_attn/out_proj',
          up: 'mlp/fc1',
          down: 'mlp/fc2',
        },
      }),
    );
  }
  return x;
}

function projected(g: GraphBuilder, make: ParameterMaker, value: TypedValue, width: number): Features {
  return {
    width,
    value,
    project: (scope, outputs) => withoutBias(g, make, scope, value, [width, outputs], width ** -0.5),
  };
}
