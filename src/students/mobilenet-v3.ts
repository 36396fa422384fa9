import { z } from 'zod';
import { float } from '../onnx/attributes.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { defineBackbone } from './backbone.ts';
import { type ConvolutionSize, momentumOption } from './convolution.ts';
import { invertedResidual, multipleOf8, normalizedConvolution } from './inverted-residual.ts';
import { mapFeatures, pooledFeatures } from './linear-features.ts';
import { pooled } from './pooled.ts';

type Activation = 'relu' | 'hardSwish';

/** One line of the paper's tables: an inverted residual block. */
interface Block {
  readonly kernel: 3 | 5;
  /** Channels inside. */
  readonly expanded: number;
  readonly outputs: number;
  /** Whether it has squeeze and excitation. */
  readonly squeeze: boolean;
  readonly activation: Activation;
  readonly stride: 1 | 2;
}

interface Configuration {
  readonly stem: { readonly channels: number; readonly stride: 1 | 2 };
  /** Blocks of one size of image; each stage begins where the size changes. */
  readonly stages: readonly (readonly Block[])[];
  /** Channels of the last 1x1 convolution, and of the hidden layer of the classifier. */
  readonly last: number;
  readonly hidden: number;
}

function block(
  kernel: 3 | 5,
  expanded: number,
  outputs: number,
  squeeze: 'squeeze' | '',
  activation: Activation,
  stride: 1 | 2,
): Block {
  return { kernel, expanded, outputs, squeeze: squeeze !== '', activation, stride };
}

const CONFIGURATIONS = {
  /** Table 1 of the paper. */
  large: {
    stem: { channels: 16, stride: 2 },
    stages: [
      [block(3, 16, 16, '', 'relu', 1)],
      [block(3, 64, 24, '', 'relu', 2), block(3, 72, 24, '', 'relu', 1)],
      [
        block(5, 72, 40, 'squeeze', 'relu', 2),
        block(5, 120, 40, 'squeeze', 'relu', 1),
        block(5, 120, 40, 'squeeze', 'relu', 1),
      ],
      [
        block(3, 240, 80, '', 'hardSwish', 2),
        block(3, 200, 80, '', 'hardSwish', 1),
        block(3, 184, 80, '', 'hardSwish', 1),
        block(3, 184, 80, '', 'hardSwish', 1),
        block(3, 480, 112, 'squeeze', 'hardSwish', 1),
        block(3, 672, 112, 'squeeze', 'hardSwish', 1),
      ],
      [
        block(5, 672, 160, 'squeeze', 'hardSwish', 2),
        block(5, 960, 160, 'squeeze', 'hardSwish', 1),
        block(5, 960, 160, 'squeeze', 'hardSwish', 1),
      ],
    ],
    last: 960,
    hidden: 1280,
  },
  /** Table 2 of the paper, without the squeeze after the last convolution. */
  small: {
    stem: { channels: 16, stride: 2 },
    stages: [
      [block(3, 16, 16, 'squeeze', 'relu', 2)],
      [block(3, 72, 24, '', 'relu', 2), block(3, 88, 24, '', 'relu', 1)],
      [
        block(5, 96, 40, 'squeeze', 'hardSwish', 2),
        block(5, 240, 40, 'squeeze', 'hardSwish', 1),
        block(5, 240, 40, 'squeeze', 'hardSwish', 1),
        block(5, 120, 48, 'squeeze', 'hardSwish', 1),
        block(5, 144, 48, 'squeeze', 'hardSwish', 1),
      ],
      [
        block(5, 288, 96, 'squeeze', 'hardSwish', 2),
        block(5, 576, 96, 'squeeze', 'hardSwish', 1),
        block(5, 576, 96, 'squeeze', 'hardSwish', 1),
      ],
    ],
    last: 576,
    hidden: 1024,
  },
  /** For images of about 28x28: a quarter of the strides, less than half of the blocks. */
  tiny: {
    stem: { channels: 16, stride: 1 },
    stages: [
      [block(3, 16, 16, '', 'relu', 2), block(3, 64, 24, '', 'relu', 1)],
      [
        block(5, 72, 40, 'squeeze', 'hardSwish', 2),
        block(5, 120, 40, 'squeeze', 'hardSwish', 1),
        block(5, 120, 40, 'squeeze', 'hardSwish', 1),
      ],
    ],
    last: 120,
    hidden: 128,
  },
} satisfies Record<string, Configuration>;

const options = z
  .object({
    size: z
      .enum(['large', 'small', 'tiny'])
      .default('small')
      .describe(
        'MobileNetV3-Large or -Small for images from 64x64 on (both halve them five times), or a tiny one for 28x28.',
      ),
    width: z.number().min(0.1).max(4).default(1).describe('Multiplies all channels.'),
    momentum: momentumOption(0.99),
  })
  .describe('MobileNetV3 (Howard et al., 2019): inverted residuals, squeeze and excitation, hard swish.');

/** Of torchvision and of the paper's code, as the default momentum is. */
const EPSILON = 1e-3;

/**
 * MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019): inverted residual blocks (Sandler et al., 2018) of a
 * widening 1x1 convolution, a depthwise one and a narrowing 1x1 one, some with squeeze and excitation (Hu et al., 2018).
 *
 * Taps: `stem/output` and `stage_N/output`, float32 [batch, channels, height, width]; `pooled`, [batch, channels].
 */
export const mobilenetV3 = defineBackbone({
  kind: 'mobilenet-v3',
  options,
  accepts: ['image'],
  features: ['pooled', 'map'],
  build(g, make, { size, width, momentum }, { channels, height, width: pixels }) {
    const { stem, stages, last, hidden }: Configuration = CONFIGURATIONS[size];
    const norm = { epsilon: EPSILON, momentum };
    const wide = (count: number) => multipleOf8(count * width);
    const activate = (x: TypedValue, activation: Activation) =>
      activation === 'relu' ? g.relu(x) : g.op('HardSwish', [x]);
    const normalized = (name: string, x: TypedValue, shape: ConvolutionSize) =>
      normalizedConvolution(g, make, name, x, shape, norm);

    const image = g.input('pixel_values', 'float32', ['batch', channels, height, pixels]);
    let inputs = wide(stem.channels);
    let x = g.scope('stem', () => {
      const first = normalized('first', image, {
        inputs: channels,
        outputs: inputs,
        kernel: 3,
        stride: stem.stride,
      });
      return g.identity(activate(first, 'hardSwish'), 'output');
    });
    stages.forEach((blocks, s) => {
      g.scope(`stage_${s + 1}`, () => {
        blocks.forEach((shape, b) => {
          x = g.scope(`block_${b + 1}`, () => invertedBlock(x, inputs, shape));
          inputs = wide(shape.outputs);
        });
        x = g.identity(x, 'output');
      });
    });
    return {
      pooled() {
        const top = activate(normalized('top', x, { inputs, outputs: wide(last), kernel: 1 }), 'hardSwish');
        const mean = pooled(g, top);
        const features = g.scope('hidden', () => {
          const weight = make.he('weight', wide(last), wide(hidden));
          return activate(g.gemm(mean, weight, make.constant('bias', [wide(hidden)], 0)), 'hardSwish');
        });
        return pooledFeatures(g, make, features, wide(hidden));
      },
      map: () => mapFeatures(g, make, x, inputs),
    };

    function invertedBlock(x: TypedValue, inputs: number, shape: Block): TypedValue {
      const { kernel, stride, activation } = shape;
      const sizes = { inputs, expanded: wide(shape.expanded), outputs: wide(shape.outputs), kernel, stride };
      const weigh = (inner: TypedValue, channels: number) =>
        g.scope('squeeze', () => squeezeExcitation(inner, channels));
      return invertedResidual(g, make, x, sizes, {
        norm,
        activate: (of) => activate(of, activation),
        weigh: shape.squeeze ? weigh : undefined,
      });
    }

    /** Weighs each channel by what all channels are like on average (section 5.3: a quarter of them inside). */
    function squeezeExcitation(x: TypedValue, channels: number): TypedValue {
      const inner = multipleOf8(channels / 4);
      const mean = g.op('Flatten', [g.op('GlobalAveragePool', [x])]);
      const down = g.gemm(
        mean,
        make.he('down/weight', channels, inner),
        make.constant('down/bias', [inner], 0),
      );
      const up = make.glorot('up/weight', inner, channels);
      const weights = g.op(
        'HardSigmoid',
        [g.gemm(g.relu(down), up, make.constant('up/bias', [channels], 0))],
        {
          alpha: float(1 / 6),
          beta: float(0.5),
        },
      );
      return g.mul(x, g.unsqueeze(weights, [2, 3]));
    }
  },
});
