import { z } from 'zod';
import { type RandomStream, randomStream } from '../../../random.ts';
import { resample } from './resample.ts';

const between = z.tuple([z.number(), z.number()]).refine(([low, high]) => low <= high, {
  error: 'expected the lower number first',
});

/** How training audio is varied. */
export const variationOptions = z.strictObject({
  shift: z.number().min(0).max(60).optional().describe('Clips are moved by up to so many seconds.'),
  speed: z
    .number()
    .min(0)
    .max(0.5)
    .optional()
    .describe('Clips become faster and higher, or slower and lower, by up to this part.'),
  gain: between.optional().describe('Decibels by which clips become louder, from and to: `[-20, 6]`.'),
  noise: between
    .optional()
    .describe('Decibels that a clip lies above noise that is added to it, from and to: `[5, 40]`.'),
  tilt: z
    .number()
    .min(0)
    .max(0.95)
    .optional()
    .describe(
      'Spectral tilt: how much high or low frequencies are favoured, as by another microphone, at most.',
    ),
  maskTime: z
    .number()
    .min(0)
    .max(60)
    .optional()
    .describe('A stretch of up to so many seconds is silenced (SpecAugment: Park et al., 2019).'),
  maskFrequency: z
    .number()
    .min(0)
    .max(24_000)
    .optional()
    .describe('A band of up to so many Hz is taken out (SpecAugment).'),
});

export type AudioVariation = z.output<typeof variationOptions>;

/** A view of a waveform, of the same length. A function of the seed, the sample and the view alone. */
export function varyAudio(
  waveform: Float32Array,
  rate: number,
  options: AudioVariation,
  { seed, sample, view }: { readonly seed: number; readonly sample: number; readonly view: number },
): Float32Array {
  const random = randomStream(seed, 'audio-variation', view, sample);
  const within = ([low, high]: readonly [number, number]) => low + (high - low) * random.uniform();
  const upTo = (most: number) => within([-most, most]);
  let varied = moved(waveform, {
    shift: Math.round(upTo(options.shift ?? 0) * rate),
    speed: 1 + upTo(options.speed ?? 0),
  });
  if (options.tilt) tilted(varied, upTo(options.tilt));
  if (options.maskTime) silenceStretch(varied, random, options.maskTime * rate);
  if (options.maskFrequency) varied = withoutBand(varied, random, options.maskFrequency / rate);
  const power = meanPower(varied);
  if (options.noise) addNoise(varied, random, Math.sqrt(power) * decibels(-within(options.noise)));
  if (options.gain) {
    const factor = decibels(within(options.gain));
    for (let i = 0; i < varied.length; i++) varied[i] = (varied[i] as number) * factor;
  }
  return varied;
}

function decibels(value: number): number {
  return 10 ** (value / 20);
}

/** Speeds in steps of so many parts, so that few ratios of rates occur. */
const SPEED_STEPS = 100;

/** The waveform about its middle, faster and later. */
function moved(waveform: Float32Array, { shift, speed }: { shift: number; speed: number }): Float32Array {
  const steps = Math.round(SPEED_STEPS * speed);
  const changed = steps === SPEED_STEPS ? waveform : resample(waveform, steps, SPEED_STEPS);
  const result = new Float32Array(waveform.length);
  const start = Math.floor((waveform.length - changed.length) / 2) + shift;
  for (let i = Math.max(0, -start); i < changed.length && i + start < result.length; i++)
    result[i + start] = changed[i] as number;
  return result;
}

/** y[t] = x[t] + amount x[t - 1]: low frequencies are favoured by a positive amount, high ones by a negative one. */
function tilted(waveform: Float32Array, amount: number): void {
  let before = 0;
  for (let i = 0; i < waveform.length; i++) {
    const now = waveform[i] as number;
    waveform[i] = (now + amount * before) / (1 + Math.abs(amount));
    before = now;
  }
}

function silenceStretch(waveform: Float32Array, random: RandomStream, most: number): void {
  const length = Math.floor(random.uniform() * Math.min(most, waveform.length));
  const start = Math.floor(random.uniform() * (waveform.length - length));
  waveform.fill(0, start, start + length);
}

/** Samples on each side that the filter of `withoutBand` sees. */
const REACH = 48;

/** Without a band of up to `most` (as a part of the rate): minus a sinc under a Hann window that lets just that pass. */
function withoutBand(waveform: Float32Array, random: RandomStream, most: number): Float32Array {
  const width = random.uniform() * Math.min(most, 0.5);
  const low = random.uniform() * (0.5 - width);
  const high = low + width;
  const ideal = (place: number, edge: number) =>
    place === 0 ? 2 * edge : Math.sin(2 * Math.PI * edge * place) / (Math.PI * place);
  const filter = Float64Array.from({ length: 2 * REACH + 1 }, (_, i) => {
    const place = i - REACH;
    const hann = 0.5 + 0.5 * Math.cos((Math.PI * place) / (REACH + 1));
    return (place === 0 ? 1 : 0) - hann * (ideal(place, high) - ideal(place, low));
  });
  return waveform.map((_, t) => {
    let sum = 0;
    const first = Math.max(0, t - REACH);
    const last = Math.min(waveform.length - 1, t + REACH);
    for (let i = first; i <= last; i++) sum += (waveform[i] as number) * (filter[i - t + REACH] as number);
    return sum;
  });
}

/** The mean square of what is not silence: how much of a clip is silent must not change how loud its noise is. */
export function meanPower(waveform: Float32Array): number {
  const peak = waveform.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let [sum, count] = [0, 0];
  for (const value of waveform) {
    if (Math.abs(value) < 0.02 * peak || value === 0) continue;
    sum += value * value;
    count++;
  }
  return sum / Math.max(1, count);
}

/** White noise of power 1, made once: to draw numbers for every sample of every clip takes longer than to train on it. */
let tape: Float32Array | undefined;
const TAPE_LENGTH = 2 ** 17;

/** Adds noise of an amplitude (its root mean square), from white to the rumble of a car. */
function addNoise(waveform: Float32Array, random: RandomStream, amplitude: number): void {
  if (!tape) {
    const made = randomStream(0, 'noise-tape');
    tape = Float32Array.from({ length: TAPE_LENGTH }, () => made.normal());
  }
  const memory = 0.95 * random.uniform();
  const fresh = Math.sqrt(1 - memory * memory);
  let place = random.integer(TAPE_LENGTH);
  let value = 0;
  for (let i = 0; i < waveform.length; i++) {
    value = memory * value + fresh * (tape[place] as number);
    place = (place + 1) % TAPE_LENGTH;
    waveform[i] = (waveform[i] as number) + amplitude * value;
  }
}
