import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { checkHeads, multiHeadAttention } from './attention.ts';
import { defineBackbone } from './backbone.ts';
import { layerNorm, linear } from './layers.ts';
import { pooledFeatures, tokenFeatures } from './linear-features.ts';
import { neighbours } from './neighbours.ts';
import type { ParameterMaker } from './parameters.ts';
import { size } from './size-options.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

/** Of the paper's model, for 16,000 samples a second: a frame for 20 ms, of 25 ms. */
const KERNELS = [10, 3, 3, 3, 3, 2, 2];
const STRIDES = [5, 2, 2, 2, 2, 2, 2];

const options = z
  .object({
    ...transformerOptions({ width: 128, layers: 3, kind: 'Encoder' }),
    feedForward: size(MOST_INNER, 512, `${INNER}.`),
    channels: size(4096, 64, 'Channels of the convolutions over the waveform.'),
    kernels: z
      .array(z.int().positive().max(1024))
      .min(1)
      .max(16)
      .default(KERNELS)
      .describe('What each of these convolutions sees: samples, then steps of the one before.'),
    strides: z
      .array(z.int().positive().max(1024))
      .min(1)
      .max(16)
      .default(STRIDES)
      .describe('Their strides; all multiplied are the samples from one frame to the next.'),
    positions: size(1024, 32, 'Frames that the convolution which tells of positions sees.'),
    positionGroups: size(1024, 8, 'Its groups; they divide the width.'),
    projection: size(8192, 64, 'Width between the frames and a head for the whole clip.'),
  })
  .describe(
    'wav2vec 2.0 (Baevski et al., 2020): convolutions over the waveform, and a transformer over their frames. For 16,000 samples a second.',
  );

/** Added to the variance in normalisations. */
const EPSILON = 1e-5;
/** Of linear layers at the start. */
const DEVIATION = 0.02;

/**
 * wav2vec 2.0 (Baevski, Zhou, Mohamed and Auli, "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations",
 * 2020, section 2 and appendix B; arXiv 2006.11477) in the form of its base model: a convolutional feature encoder whose first layer is
 * normalised over time, a projection, positions by a grouped convolution, a transformer that normalises after each block. The base model
 * has width 768, heads 12, layers 12, feedForward 3072, channels 512, positions 128, positionGroups 16, projection 256.
 *
 * Values are named as the modules of transformers are (`encoder/layers.0/attention/q_proj/weight`); weights are [inputs, outputs],
 * those of convolutions over the waveform [kernel * inputs, outputs], that of positions [outputs, inputs / groups, kernel], without the
 * weight normalisation that PyTorch's has. Nothing is masked: silence around a short clip is heard, as by the base model.
 *
 * Input `input_values`, float32 [batch, samples]. Taps: `feature_extractor/output` [batch, frames, channels],
 * `encoder/layers.N/output` [batch, frames, width], `encoder/layers.N/attention/probabilities` [batch, heads, frames, frames],
 * `pooled` [batch, projection].
 *
 * @throws LimbeckError `recipe.invalid` when heads or groups do not divide the width, kernels and strides are not as many, or the
 * window is too short for one frame
 */
export const wav2vec2 = defineBackbone({
  kind: 'wav2vec2',
  options,
  accepts: ['audio'],
  features: ['pooled', 'tokens'],
  build(g, make, chosen, { samples }) {
    const { width, heads, layers, feedForward, channels, positions, positionGroups, projection } = chosen;
    checkHeads(heads, width);
    checkFrames(chosen, samples);
    const dense = (name: string, x: TypedValue, inputs = width, outputs = width) =>
      linear(g, make, name, x, [inputs, outputs], DEVIATION);
    const norm = (name: string, x: TypedValue, size = width) => layerNorm(g, make, name, x, size, EPSILON);
    const gelu = (x: TypedValue) => g.op('Gelu', [x]);

    const waveform = g.input('input_values', 'float32', ['batch', samples ?? 'samples']);
    const encoded = g.scope('feature_extractor', () => featureEncoder(g, make, waveform, chosen));
    const projected = g.scope('feature_projection', () =>
      dense('projection', norm('layer_norm', encoded, channels), channels),
    );
    const last = g.scope('encoder', () => {
      const placed = g.add(
        projected,
        gelu(convolvedPositions(g, make, projected, { width, kernel: positions, groups: positionGroups })),
      );
      let hidden = norm('layer_norm', placed);
      for (let layer = 0; layer < layers; layer++) {
        hidden = g.scope(`layers.${layer}`, () => {
          const context = g.scope('attention', () => {
            const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) => dense(name, hidden)) as [
              TypedValue,
              TypedValue,
              TypedValue,
            ];
            return dense('out_proj', multiHeadAttention(g, { query, key, value, heads, width }));
          });
          const attended = norm('layer_norm', g.add(hidden, context));
          const inner = g.scope('feed_forward', () =>
            dense(
              'output_dense',
              gelu(dense('intermediate_dense', attended, width, feedForward)),
              feedForward,
            ),
          );
          return g.identity(norm('final_layer_norm', g.add(attended, inner)), 'output');
        });
      }
      return hidden;
    });
    return {
      pooled() {
        const frames = dense('projector', last, width, projection);
        const mean = g.reduceMean(frames, { axes: [1], keepDims: false });
        return pooledFeatures(g, make, g.identity(mean, 'pooled'), projection);
      },
      tokens: () => tokenFeatures(g, make, last, width),
    };
  },
});

/** float32 [B, samples] to [B, frames, channels], named `output`: GELU after each convolution, the first one normalised over time. */
function featureEncoder(
  g: GraphBuilder,
  make: ParameterMaker,
  waveform: TypedValue,
  { channels, kernels, strides }: z.output<typeof options>,
): TypedValue {
  let x = g.unsqueeze(waveform, [2]);
  kernels.forEach((kernel, layer) => {
    x = g.scope(`conv_layers.${layer}`, () => {
      const inputs = layer === 0 ? 1 : channels;
      const weight = make.he('conv/weight', kernel * inputs, channels);
      const sum = g.matMul(neighbours(g, x, kernel, { stride: strides[layer], padded: false }), weight);
      return g.op('Gelu', [layer === 0 ? normalizedOverTime(g, make, sum, channels) : sum]);
    });
  });
  return g.identity(x, 'output');
}

/** Each channel of [B, T, channels] to mean 0 and deviation 1 over time, then scaled: a GroupNorm of a group for each channel. */
function normalizedOverTime(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  channels: number,
): TypedValue {
  return g.scope('layer_norm', () => {
    const centred = g.sub(x, g.reduceMean(x, { axes: [1] }));
    const variance = g.reduceMean(g.square(centred), { axes: [1] });
    const unit = g.div(centred, g.sqrt(g.add(variance, EPSILON)));
    return g.add(g.mul(unit, make.constant('weight', [channels], 1)), make.constant('bias', [channels], 0));
  });
}

/** What a grouped convolution over all of [B, T, width] says of each frame: as many frames, the middle of an even kernel to its left. */
function convolvedPositions(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  { width, kernel, groups }: { readonly width: number; readonly kernel: number; readonly groups: number },
): TypedValue {
  return g.scope('pos_conv_embed/conv', () => {
    const deviation = 2 / Math.sqrt(kernel * width);
    const weight = make.normal('weight', [width, width / groups, kernel], deviation);
    const bias = make.constant('bias', [width], 0);
    const before = Math.floor(kernel / 2);
    const pads = [before, kernel - 1 - before];
    return g.transpose(
      g.op('Conv', [g.transpose(x, [0, 2, 1]), weight, bias], {
        kernel_shape: [kernel],
        pads,
        group: groups,
      }),
      [0, 2, 1],
    );
  });
}

/** Samples that a frame hears after convolutions with these kernels and strides. */
export function samplesOfFrame(kernels: readonly number[], strides: readonly number[]): number {
  return kernels.reduceRight((seen, kernel, i) => (seen - 1) * (strides[i] as number) + kernel, 1);
}

function checkFrames(
  { width, positionGroups, kernels, strides }: z.output<typeof options>,
  samples: number | undefined,
): void {
  if (width % positionGroups !== 0) {
    throw new LimbeckError('recipe.invalid', `${positionGroups} groups do not divide a width of ${width}`, {
      where: 'student.positionGroups',
      remedy: 'Choose a width that is a multiple of positionGroups.',
    });
  }
  if (kernels.length !== strides.length) {
    throw new LimbeckError(
      'recipe.invalid',
      `there are ${kernels.length} kernels and ${strides.length} strides`,
      { where: 'student.kernels', remedy: 'Give each convolution over the waveform a kernel and a stride.' },
    );
  }
  if (samples === undefined) return;
  const needed = samplesOfFrame(kernels, strides);
  if (samples >= needed) return;
  throw new LimbeckError(
    'recipe.invalid',
    `the first frame needs ${needed} samples, and the window has ${samples}`,
    {
      where: 'student.kernels',
      remedy: 'Set a longer window (inputs.NAME.seconds), or fewer or smaller kernels.',
    },
  );
}
