import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { defineBackbone } from './backbone.ts';
import { batchNorm, type ConvolutionSize, convolution } from './convolution.ts';
import { mapFeatures, pooledFeatures } from './linear-features.ts';
import { pooled } from './pooled.ts';
import { size } from './size-options.ts';

/** Channels that leave a bottleneck block, as a multiple of those inside (section 4.1, "Deeper Bottleneck Architectures"). */
const EXPANSION = 4;

const options = z
  .object({
    width: size(2048, 16, 'Channels of the first stage; each later stage has twice as many.'),
    stages: size(6, 3, 'Stages; each after the first halves height and width.'),
    blocks: size(64, 3, 'Residual blocks in a stage.'),
    bottleneck: z
      .boolean()
      .default(false)
      .describe('Blocks of a 1x1, a 3x3 and a 1x1 convolution instead of two 3x3.'),
    stride: z
      .union([z.literal(1), z.literal(2)])
      .optional()
      .describe('Of the first convolution, 1 when absent: 2 halves height and width before the first stage.'),
    zeroInit: z
      .boolean()
      .default(true)
      .describe('Whether residual branches start at nothing (Goyal et al., 2017, section 5.1).'),
  })
  .describe('A residual network for small images (He et al., 2016).');

/**
 * The residual network for small images of He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition"
 * (2016), section 4.2: a 3x3 convolution, stages of residual blocks, the mean over all places.
 * Where a block changes the size, its shortcut is a 1x1 convolution (option B).
 *
 * Taps: `stem/output` and `stage_N/output`, float32 [batch, channels, height, width]; `pooled`, [batch, channels].
 */
export const resnet = defineBackbone({
  kind: 'resnet',
  options,
  accepts: ['image'],
  features: ['pooled', 'map'],
  build(
    g,
    make,
    { width, stages, blocks, bottleneck, stride: first = 1, zeroInit },
    { channels, height, width: pixels },
  ) {
    const normalized = (name: string, x: TypedValue, size: ConvolutionSize, gain?: number) =>
      g.scope(name, () => batchNorm(g, make, convolution(g, make, x, size), size.outputs, { gain }));
    const expansion = bottleneck ? EXPANSION : 1;
    const lastGain = zeroInit ? 0 : 1;

    const image = g.input('pixel_values', 'float32', ['batch', channels, height, pixels]);
    let inputs = width;
    let hidden = g.scope('stem', () =>
      g.identity(
        g.relu(normalized('first', image, { inputs: channels, outputs: width, kernel: 3, stride: first })),
        'output',
      ),
    );
    for (let stage = 1; stage <= stages; stage++) {
      const inner = width * 2 ** (stage - 1);
      g.scope(`stage_${stage}`, () => {
        for (let block = 1; block <= blocks; block++) {
          const stride = stage > 1 && block === 1 ? 2 : 1;
          hidden = g.scope(`block_${block}`, () => residualBlock(hidden, inputs, inner, stride));
          inputs = inner * expansion;
        }
        hidden = g.identity(hidden, 'output');
      });
    }
    return {
      pooled: () => pooledFeatures(g, make, pooled(g, hidden), inputs),
      map: () => mapFeatures(g, make, hidden, inputs),
    };

    function residualBlock(x: TypedValue, inputs: number, inner: number, stride: number): TypedValue {
      const outputs = inner * expansion;
      const branch = bottleneck
        ? bottleneckBranch(x, inputs, inner, stride)
        : basicBranch(x, inputs, inner, stride);
      const same = inputs === outputs && stride === 1;
      const shortcut = same ? x : normalized('shortcut', x, { inputs, outputs, kernel: 1, stride });
      return g.relu(g.add(branch, shortcut));
    }

    function basicBranch(x: TypedValue, inputs: number, inner: number, stride: number): TypedValue {
      const first = g.relu(normalized('first', x, { inputs, outputs: inner, kernel: 3, stride }));
      return normalized('second', first, { inputs: inner, outputs: inner, kernel: 3 }, lastGain);
    }

    function bottleneckBranch(x: TypedValue, inputs: number, inner: number, stride: number): TypedValue {
      const first = g.relu(normalized('first', x, { inputs, outputs: inner, kernel: 1 }));
      const second = g.relu(
        normalized('second', first, { inputs: inner, outputs: inner, kernel: 3, stride }),
      );
      return normalized('third', second, { inputs: inner, outputs: inner * EXPANSION, kernel: 1 }, lastGain);
    }
  },
});
