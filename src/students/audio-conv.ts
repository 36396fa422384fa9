import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { defineBackbone } from './backbone.ts';
import { layerNorm } from './layers.ts';
import { pooledFeatures, tokenFeatures } from './linear-features.ts';
import { logMel } from './log-mel.ts';
import { neighbours } from './neighbours.ts';
import { size } from './size-options.ts';

const options = z
  .object({
    width: size(2048, 48, 'Channels of all layers.'),
    blocks: size(32, 3, 'Residual blocks of two convolutions each.'),
    kernel: size(31, 5, 'Frames that a convolution sees; odd.'),
    halvings: z.int().min(0).max(6).default(2).describe('How many of the blocks halve the number of frames.'),
    mels: size(256, 40, 'Filters of the log-mel spectrogram.'),
    scale: z.enum(['slaney', 'htk']).default('slaney').describe('Scale on which these filters lie evenly.'),
    window: z.number().positive().max(1).default(0.032).describe('Seconds of a frame.'),
    hop: z.number().positive().max(1).default(0.016).describe('Seconds from one frame to the next.'),
    level: z
      .enum(['keep', 'clip', 'bands'])
      .default('bands')
      .describe(
        'What is taken from the spectrogram before the first layer: nothing, the mean level of the clip (its loudness), or that of each filter (the colour of microphone and line too).',
      ),
  })
  .describe(
    'Convolutions over time on a log-mel spectrogram, whose bands are the channels (Choi et al., 2019). The waveform goes in: the spectrogram is part of the model.',
  );

/** The logarithms of energy are spread over some ten nats: this brings them to about 1. */
const SPREAD = 0.3;
/** The first filter begins above the hum of mains and the breath on a microphone, in Hz. */
const LOWEST_HZ = 60;
const END = 2 ** 31 - 1;

/**
 * A residual network of convolutions over time, whose channels at the start are the bands of a log-mel spectrogram:
 * Choi, Seo, Shin, Byun, Kersner, Kim, Kim and Ha, "Temporal Convolution for Real-time Keyword Spotting on Mobile Devices"
 * (2019), with layer normalisation in the place of batch normalisation. Its tokens are frames: one for `hop` seconds, and
 * for twice as many after each halving.
 *
 * Taps: `log_mel/output`, float32 [batch, frames, mels]; `block_N/output`, [batch, frames, width]; `pooled`, [batch, width].
 *
 * @throws LimbeckError `recipe.invalid` for frames that do not overlap or do not fit into the audio
 */
export const audioConv = defineBackbone({
  kind: 'audio-conv',
  options,
  accepts: ['audio'],
  features: ['pooled', 'tokens'],
  build(
    g,
    make,
    { width, blocks, kernel, halvings, level, ...chosen },
    { samplingRate: rate, samples = 'samples' },
  ) {
    const waveform = g.input('input_values', 'float32', ['batch', samples]);
    const [window, hop] = [chosen.window, chosen.hop].map((seconds) => Math.round(seconds * rate)) as [
      number,
      number,
    ];
    requireFrames({ window, hop, samples: typeof samples === 'number' ? samples : undefined, rate });
    const mel = logMel(g, waveform, {
      ...chosen,
      rate,
      window,
      hop,
      lowHz: LOWEST_HZ,
      highHz: rate / 2,
    });
    let hidden = g.scope('stem', () => {
      const scaled = g.mul(levelled(g, mel, level), SPREAD);
      return g.relu(convolved('convolution', scaled, chosen.mels, 1));
    });
    for (let block = 1; block <= blocks; block++) {
      const stride = block <= halvings ? 2 : 1;
      hidden = g.scope(`block_${block}`, () => {
        const first = g.relu(convolved('first', hidden, width, stride));
        const second = convolved('second', first, width, 1);
        const shortcut = stride === 1 ? hidden : g.slice(hidden, 1, 0, END, stride);
        return g.identity(g.relu(g.add(second, shortcut)), 'output');
      });
    }
    return {
      pooled: () => {
        const mean = g.reduceMean(hidden, { axes: [1], keepDims: false });
        return pooledFeatures(g, make, g.identity(mean, 'pooled'), width);
      },
      tokens: () => tokenFeatures(g, make, hidden, width),
    };

    function convolved(name: string, x: TypedValue, inputs: number, stride: number): TypedValue {
      return g.scope(name, () => {
        const weight = make.he('weight', kernel * inputs, width);
        const sum = g.matMul(neighbours(g, x, kernel, { stride }), weight);
        return layerNorm(g, make, 'normalization', sum, width);
      });
    }
  },
});

/** A spectrogram [B, F, M] without its level (see `options.level`): what remains does not depend on how loud a clip is. */
function levelled(g: GraphBuilder, mel: TypedValue, level: z.output<typeof options>['level']): TypedValue {
  if (level === 'keep') return mel;
  return g.sub(mel, g.reduceMean(mel, { axes: level === 'clip' ? [1, 2] : [1] }));
}

interface FrameSizes {
  /** Samples of a frame, and from one to the next. */
  readonly window: number;
  readonly hop: number;
  /** Of the audio, where that is not open. */
  readonly samples: number | undefined;
  readonly rate: number;
}

function requireFrames({ window, hop, samples, rate }: FrameSizes): void {
  const problem =
    hop < 1
      ? `frames of ${rate} samples a second cannot follow each other in less than one`
      : hop > window
        ? `frames of ${window} samples that begin every ${hop} leave samples out`
        : samples !== undefined && samples < hop
          ? `audio of ${samples} samples has no frame, where one begins every ${hop}`
          : undefined;
  if (problem === undefined) return;
  throw new LimbeckError('recipe.invalid', problem, {
    where: 'student.hop',
    remedy: `Choose seconds between ${Number((1 / rate).toPrecision(2))} and those of student.window, and no more than the audio has.`,
  });
}
