import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { type MelScale, melFilters } from './mel-filters.ts';

export interface LogMelOptions {
  /** Samples a second of the waveform. */
  readonly rate: number;
  /** Samples of a frame, and between one frame and the next. */
  readonly window: number;
  readonly hop: number;
  readonly mels: number;
  readonly scale: MelScale;
  readonly lowHz: number;
  readonly highHz: number;
}

/** Under this, energy counts as silence: white noise of one step of 16 bits has a tenth of it. */
export const LEAST_ENERGY = 1e-6;

/**
 * The log-mel spectrogram of a waveform as part of the graph, so that Node and browser hear the same: float32 [B, samples]
 * to [B, frames, mels], in nats, frames = samples / hop (rounded down).
 *
 * Frames overlap by `window - hop` samples; half of that many zeros precede the waveform and follow it. The windowed
 * Fourier transform (a periodic Hann window) is a Conv with a constant weight of as many samples as a frame has, in the
 * next power of two of bins; the weight is computed in the graph from one period of a cosine, which ONNX Runtime does
 * once when it loads the model: the file holds 1 kB instead of 264 kB.
 */
export function logMel(g: GraphBuilder, waveform: TypedValue, options: LogMelOptions): TypedValue {
  const { rate, window, hop, mels, scale, lowHz, highHz } = options;
  return g.scope('log_mel', () => {
    const fftSize = fourierSize(window);
    const bins = fftSize / 2 + 1;
    const overlap = window - hop;
    const before = Math.floor(overlap / 2);
    const spectrum = g.op('Conv', [g.unsqueeze(waveform, [1]), fourierWeight(g, window, fftSize)], {
      kernel_shape: [window],
      strides: [hop],
      pads: [before, overlap - before],
    });
    const [real, imaginary] = [g.slice(spectrum, 1, 0, bins), g.slice(spectrum, 1, bins, 2 * bins)];
    const power = g.add(g.square(real), g.square(imaginary));
    const filters = melFilters({ rate, fftSize, mels, scale, lowHz, highHz });
    const energy = g.matMul(g.initializer('mel_filters', float32(filters, [mels, bins])), power);
    return g.identity(g.transpose(g.log(g.max(energy, LEAST_ENERGY)), [0, 2, 1]), 'output');
  });
}

/** The length of the Fourier transform of a frame: the next power of two. */
export function fourierSize(window: number): number {
  return 2 ** Math.ceil(Math.log2(window));
}

/**
 * The windowed Fourier transform as the weight of a Conv, float32 [2 * bins, 1, window]: cosines, then sines. Angles are
 * whole parts of a period, so that none loses digits.
 */
function fourierWeight(g: GraphBuilder, window: number, fftSize: number): TypedValue {
  const bins = fftSize / 2 + 1;
  const turn = (part: number) => 2 * Math.PI * part;
  const hann = Float32Array.from({ length: window }, (_, n) => 0.5 - 0.5 * Math.cos(turn(n / window)));
  const period = Float32Array.from({ length: fftSize }, (_, n) => Math.cos(turn(n / fftSize)));
  const counts = (length: number) => Array.from({ length }, (_, i) => i);
  // A sine is a cosine three quarters of a period on.
  const starts = [...counts(bins).map(() => 0), ...counts(bins).map(() => (3 * fftSize) / 4)];
  const frequency = g.constant(int64([...counts(bins), ...counts(bins)], [2 * bins, 1]));
  const angle = g.add(
    g.mul(frequency, g.constant(int64(counts(window), [1, window]))),
    g.constant(int64(starts, [2 * bins, 1])),
  );
  const place = g.op('Mod', [angle, g.scalar(fftSize, 'int64')]);
  const wave = g.gather(g.initializer('cosine', float32(period, [fftSize])), place);
  return g.unsqueeze(g.mul(wave, g.initializer('window', float32(hann, [window]))), [1]);
}
