import { describe, expect, it } from 'vitest';
import { resample } from './resample.ts';

const SECONDS = 0.1;

function tone(hz: number, rate: number, seconds = SECONDS): Float32Array {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) =>
    Math.sin((2 * Math.PI * hz * i) / rate),
  );
}

/** Without the ends, where what is around them is missing. */
function middle(waveform: Float32Array): Float32Array {
  const cut = Math.floor(waveform.length / 5);
  return waveform.slice(cut, waveform.length - cut);
}

function loudness(waveform: Float32Array): number {
  return Math.sqrt(waveform.reduce((sum, value) => sum + value * value, 0) / waveform.length);
}

describe.each([
  [22050, 8000],
  [44100, 16000],
  [96000, 16000],
  [8000, 16000],
  [11025, 8000],
  [44099, 16000],
])('%i Hz to %i Hz', (from, to) => {
  const limit = Math.min(from, to) / 2;

  it('keeps a tone that both rates have, at its place', () => {
    for (const hz of [100, 0.5 * limit, 0.8 * limit]) {
      const result = resample(tone(hz, from), from, to);
      expect(result).toHaveLength(Math.ceil((Math.round(from * SECONDS) * to) / from));
      const expected = tone(hz, to);
      const difference = middle(result.slice(0, expected.length)).map(
        (value, i) => value - (middle(expected)[i] as number),
      );
      expect(loudness(difference)).toBeLessThan(1e-3);
    }
  });

  it.runIf(from > to)('silences a tone that the new rate has not', () => {
    for (const hz of [1.05 * limit, 0.95 * (from / 2)].filter((hz) => hz > limit && hz < from / 2)) {
      expect(loudness(middle(resample(tone(hz, from), from, to)))).toBeLessThan(1e-3);
    }
  });
});

it('keeps a constant, and gives back what has the rate already', () => {
  const ones = new Float32Array(1000).fill(0.5);
  for (const value of middle(resample(ones, 48000, 8000))) expect(value).toBeCloseTo(0.5, 5);
  expect(resample(ones, 8000, 8000)).toBe(ones);
  expect(resample(new Float32Array(0), 44100, 8000)).toHaveLength(0);
});
