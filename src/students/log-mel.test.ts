import { ClapFeatureExtractor } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { fourierSize, LEAST_ENERGY, type LogMelOptions, logMel } from './log-mel.ts';
import { melFilters } from './mel-filters.ts';

const NARROW: LogMelOptions = {
  rate: 8000,
  window: 256,
  hop: 128,
  mels: 40,
  scale: 'slaney',
  lowHz: 60,
  highHz: 4000,
};
const WIDE: LogMelOptions = {
  rate: 16000,
  window: 400,
  hop: 160,
  mels: 64,
  scale: 'htk',
  lowHz: 20,
  highHz: 7600,
};

describe.each([NARROW, WIDE])('$window samples at $rate Hz, $scale', (options) => {
  it('agrees with a float64 reference', async () => {
    const waveforms = [chirp(options.rate), noise(options.rate), new Float32Array(options.rate)];
    const { values, frames } = await run(options, waveforms);
    expect(frames).toBe(Math.floor(options.rate / options.hop));
    waveforms.forEach((waveform, row) => {
      const expected = reference(waveform, options);
      expect(expected).toHaveLength(frames * options.mels);
      let worst = 0;
      expected.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - (values[row * expected.length + i] as number)));
      });
      expect(worst).toBeLessThan(2e-3);
    });
  });

  it('has the filters of transformers', () => {
    const { rate, window, mels, scale, lowHz, highHz } = options;
    const fftSize = fourierSize(window);
    const ours = melFilters({ rate, fftSize, mels, scale, lowHz, highHz });
    const { mel_filters: htk, mel_filters_slaney: slaney } = new ClapFeatureExtractor({
      nb_frequency_bins: fftSize / 2 + 1,
      feature_size: mels,
      frequency_min: lowHz,
      frequency_max: highHz,
      sampling_rate: rate,
    }) as unknown as Record<string, number[][]>;
    // Those on the HTK scale are as high as 1, whatever their area.
    const theirs = scale === 'htk' ? htk : slaney;
    theirs.forEach((filter, mel) => {
      const own = ours.subarray(mel * filter.length, (mel + 1) * filter.length);
      const size = scale === 'htk' ? sum(filter) / sum(own) : 1;
      filter.forEach((value, bin) => {
        expect(own[bin] as number).toBeCloseTo(value / size, 7);
      });
    });
    expect(theirs).toHaveLength(mels);
  });
});

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}

it('takes little room in a file', () => {
  expect(writeModel(build(NARROW)).byteLength).toBeLessThan(32_000);
});

function build(options: LogMelOptions) {
  const g = new GraphBuilder();
  g.output(logMel(g, g.input('input_values', 'float32', ['batch', 'samples']), options), 'mel');
  return g.build('log-mel');
}

async function run(options: LogMelOptions, waveforms: readonly Float32Array[]) {
  const session = await createNodeEngine().load(writeModel(build(options)));
  const samples = waveforms[0]?.length ?? 0;
  const all = new Float32Array(waveforms.length * samples);
  waveforms.forEach((waveform, i) => {
    all.set(waveform, i * samples);
  });
  const { mel } = await session.run({ input_values: float32(all, [waveforms.length, samples]) });
  await session.release();
  return { values: mel?.data as Float32Array, frames: mel?.dims[1] as number };
}

/** The same by the definition, frame by frame and frequency by frequency. */
function reference(waveform: Float32Array, options: LogMelOptions): number[] {
  const { rate, window, hop, mels, scale, lowHz, highHz } = options;
  const fftSize = fourierSize(window);
  const filters = melFilters({ rate, fftSize, mels, scale, lowHz, highHz });
  const bins = fftSize / 2 + 1;
  const before = Math.floor((window - hop) / 2);
  const result: number[] = [];
  for (let frame = 0; (frame + 1) * hop <= waveform.length; frame++) {
    const power = Array.from({ length: bins }, (_, bin) => {
      let [real, imaginary] = [0, 0];
      for (let n = 0; n < window; n++) {
        const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window);
        const value = hann * (waveform[frame * hop - before + n] ?? 0);
        real += value * Math.cos((2 * Math.PI * bin * n) / fftSize);
        imaginary -= value * Math.sin((2 * Math.PI * bin * n) / fftSize);
      }
      return real ** 2 + imaginary ** 2;
    });
    for (let mel = 0; mel < mels; mel++) {
      let energy = 0;
      for (let bin = 0; bin < bins; bin++)
        energy += (filters[mel * bins + bin] as number) * (power[bin] as number);
      result.push(Math.log(Math.max(energy, LEAST_ENERGY)));
    }
  }
  return result;
}

/** A tone that rises from 100 Hz to half of the rate within a second. */
function chirp(rate: number): Float32Array {
  return Float32Array.from({ length: rate }, (_, i) => {
    const t = i / rate;
    return 0.5 * Math.sin(2 * Math.PI * (100 * t + ((rate / 2 - 100) * t * t) / 2));
  });
}

function noise(rate: number): Float32Array {
  const random = randomStream(1, 'noise');
  return Float32Array.from({ length: rate }, () => 0.1 * random.normal());
}
