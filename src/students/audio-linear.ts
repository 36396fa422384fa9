import { z } from 'zod';
import { defineBackbone } from './backbone.ts';
import { logMel } from './log-mel.ts';

const options = z.object({});

const MELS = 40;
/** The logarithms of energy are spread over some ten nats: this brings them to about 1. */
const SPREAD = 0.3;
/** Seconds of a frame, and from one to the next. */
const [WINDOW, HOP] = [0.032, 0.016];

/**
 * The mean and the spread over time of each band of a log-mel spectrogram, under linear layers that begin at zero: the peer
 * that students of audio are compared with. It hears the colour of a sound, and nothing of what comes after what.
 */
export const audioLinear = defineBackbone({
  kind: 'audio-linear',
  options,
  accepts: ['audio'],
  build(g, make, _options, { samplingRate: rate, samples = 'samples' }) {
    const waveform = g.input('input_values', 'float32', ['batch', samples]);
    const mel = logMel(g, waveform, {
      rate,
      window: Math.round(WINDOW * rate),
      hop: Math.round(HOP * rate),
      mels: MELS,
      scale: 'slaney',
      lowHz: 60,
      highHz: rate / 2,
    });
    const mean = g.reduceMean(mel, { axes: [1] });
    const variance = g.reduceMean(g.square(g.sub(mel, mean)), { axes: [1], keepDims: false });
    const spread = g.sqrt(g.add(variance, 1e-6));
    const width = 2 * MELS;
    const features = g.mul(g.concat([g.squeeze(mean, [1]), spread], 1), SPREAD);
    let heads = 0;
    const linear = (outputs: number) => {
      const weight = make.constant('weight', [width, outputs], 0);
      return g.gemm(features, weight, make.constant('bias', [outputs], 0));
    };
    return {
      pooled: () => ({
        width,
        value: features,
        project: (scope, outputs) =>
          heads++ === 0 ? linear(outputs) : g.scope(scope, () => linear(outputs)),
      }),
    };
  },
});
