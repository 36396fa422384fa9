import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { defineBackbone } from './backbone.ts';
import { momentumOption } from './convolution.ts';
import { invertedResidual, multipleOf8, normalizedConvolution } from './inverted-residual.ts';
import { mapFeatures, pooledFeatures } from './linear-features.ts';
import { pooled } from './pooled.ts';

/** Blocks that have one kernel and one number of channels; the first of them has the stride. */
interface Group {
  readonly repeats: number;
  readonly kernel: 3 | 5;
  readonly stride: 1 | 2;
  /** Channels inside a block, as a multiple of those that enter it. */
  readonly expansion: 1 | 6;
  readonly outputs: number;
}

interface Configuration {
  /** Of channels, and of repeats; neither is applied to the stem and the head, nor the second to the first and the last group. */
  readonly width: number;
  readonly depth: number;
  readonly stem: { readonly channels: number; readonly stride: 1 | 2 };
  /** Groups of one size of image; each stage begins where the size changes. */
  readonly stages: readonly (readonly Group[])[];
  /** Channels of the last 1x1 convolution. */
  readonly head: number;
}

function group(repeats: number, kernel: 3 | 5, stride: 1 | 2, expansion: 1 | 6, outputs: number): Group {
  return { repeats, kernel, stride, expansion, outputs };
}

/** EfficientNet-B0 (table 1 of the paper), as Lite has it at each of its sizes. */
const lite = (width: number, depth: number): Configuration => ({
  width,
  depth,
  stem: { channels: 32, stride: 2 },
  stages: [
    [group(1, 3, 1, 1, 16)],
    [group(2, 3, 2, 6, 24)],
    [group(2, 5, 2, 6, 40)],
    [group(3, 3, 2, 6, 80), group(3, 5, 1, 6, 112)],
    [group(4, 5, 2, 6, 192), group(1, 3, 1, 6, 320)],
  ],
  head: 1280,
});

/** The authors' coefficients, for images of 224, 240, 260, 280 and 300 pixels. */
const CONFIGURATIONS = {
  lite0: lite(1, 1),
  lite1: lite(1, 1.1),
  lite2: lite(1.1, 1.2),
  lite3: lite(1.2, 1.4),
  lite4: lite(1.4, 1.8),
  /** For images of about 28x28: a quarter of the strides, a third of the blocks. */
  tiny: {
    width: 1,
    depth: 1,
    stem: { channels: 16, stride: 1 },
    stages: [[group(1, 3, 1, 1, 16)], [group(2, 3, 2, 6, 24)], [group(2, 5, 2, 6, 40)]],
    head: 160,
  },
} satisfies Record<string, Configuration>;

const options = z
  .object({
    size: z
      .enum(['lite0', 'lite1', 'lite2', 'lite3', 'lite4', 'tiny'])
      .default('lite0')
      .describe(
        'EfficientNet-Lite0 to 4 for images from 64x64 on (they halve them five times), or a tiny one for 28x28.',
      ),
    width: z.number().min(0.1).max(4).default(1).describe('Multiplies all channels.'),
    momentum: momentumOption(0.99),
  })
  .describe(
    'EfficientNet-Lite (Tan and Le, 2019, and its Lite variant): inverted residuals with ReLU6 and without squeeze and excitation, which quantise well.',
  );

/** Of the authors' code, as the default momentum is. */
const EPSILON = 1e-3;

/**
 * EfficientNet-Lite: EfficientNet (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019) as its
 * authors made it for small devices in TensorFlow's TPU repository (`models/official/efficientnet/lite`): no squeeze and excitation,
 * ReLU6 for swish, and a stem, a head and numbers of blocks in the first and last group that do not grow with the size.
 * Convolutions pad both sides alike (TensorFlow's pad the end more); blocks are not dropped at random in training.
 *
 * Taps: `stem/output` and `stage_N/output`, float32 [batch, channels, height, width]; `pooled`, [batch, channels].
 */
export const efficientnetLite = defineBackbone({
  kind: 'efficientnet-lite',
  options,
  accepts: ['image'],
  features: ['pooled', 'map'],
  build(g, make, { size, width: factor, momentum }, { channels, height, width: pixels }) {
    const { width, depth, stem, stages, head }: Configuration = CONFIGURATIONS[size];
    const norm = { epsilon: EPSILON, momentum };
    const fixed = (count: number) => (factor === 1 ? count : multipleOf8(count * factor));
    const wide = (count: number) => multipleOf8(count * width * factor);
    const activate = (x: TypedValue) => g.clip(x, 0, 6);
    const groups = stages.flat();
    const repeatsOf = (one: Group) =>
      one === groups[0] || one === groups.at(-1) ? one.repeats : Math.ceil(one.repeats * depth);

    const image = g.input('pixel_values', 'float32', ['batch', channels, height, pixels]);
    let inputs = fixed(stem.channels);
    let x = g.scope('stem', () => {
      const shape = { inputs: channels, outputs: inputs, kernel: 3, stride: stem.stride };
      return g.identity(activate(normalizedConvolution(g, make, 'first', image, shape, norm)), 'output');
    });
    stages.forEach((groupsOfStage, s) => {
      g.scope(`stage_${s + 1}`, () => {
        let block = 0;
        for (const one of groupsOfStage) {
          for (let repeat = 0; repeat < repeatsOf(one); repeat++) {
            const sizes = {
              inputs,
              expanded: inputs * one.expansion,
              outputs: wide(one.outputs),
              kernel: one.kernel,
              stride: repeat === 0 ? one.stride : (1 as const),
            };
            x = g.scope(`block_${++block}`, () => invertedResidual(g, make, x, sizes, { norm, activate }));
            inputs = sizes.outputs;
          }
        }
        x = g.identity(x, 'output');
      });
    });
    return {
      pooled() {
        const outputs = fixed(head);
        const top = normalizedConvolution(g, make, 'top', x, { inputs, outputs, kernel: 1 }, norm);
        return pooledFeatures(g, make, pooled(g, activate(top)), outputs);
      },
      map: () => mapFeatures(g, make, x, inputs),
    };
  },
});
