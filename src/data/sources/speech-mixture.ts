import type { RandomStream } from '../../random.ts';

/** Speech among silence, with noise under it, and where the speech is. */
export interface SpeechMixture {
  /** Between -1 and 1. */
  readonly samples: Float32Array;
  /** For each frame: whether somebody speaks in it. */
  readonly speech: Uint8Array;
}

export interface MixtureOptions {
  /** Samples of a frame, and how many frames there are. */
  readonly frame: number;
  readonly frames: number;
  readonly rate: number;
  /** Decibels that speech lies above the noise, from and to. */
  readonly noise: readonly [number, number];
  /** Seconds between one recording and the next, from and to. */
  readonly pause: readonly [number, number];
}

/** Frames with less energy than the loud ones of a recording, by so many decibels, are pauses. */
const PAUSE_DECIBELS = 30;
/** Recordings are made quieter by up to so many decibels. */
const QUIETER = 12;
/** A rumble of a car, a hiss, a murmur that swells: how much of it stays from one sample to the next. */
const MEMORIES = [
  [0, 0],
  [0.7, 0.98],
] as const;

/**
 * Mixes clean recordings, one after another at random places, with noise. Who speaks when is known from the clean ones: a
 * frame is speech whose energy is at most 30 dB under that of the recording's loud frames.
 */
export function mixSpeech(
  recordings: readonly Float32Array[],
  random: RandomStream,
  { frame, frames, rate, noise, pause }: MixtureOptions,
): SpeechMixture {
  const within = ([low, high]: readonly [number, number]) => low + (high - low) * random.uniform();
  const samples = new Float32Array(frame * frames);
  const speech = new Uint8Array(frames);
  const silence = () => Math.floor((within(pause) * rate) / frame);
  let [energy, count] = [0, 0];
  for (let at = Math.floor(random.uniform() * (silence() + 1)); at < frames; ) {
    const recording = recordings[random.integer(recordings.length)] as Float32Array;
    const spoken = speechFrames(recording, frame);
    const gain = decibels(-QUIETER * random.uniform());
    for (let f = 0; f < spoken.length && at + f < frames; f++) {
      speech[at + f] = spoken[f] as number;
      for (let i = 0; i < frame; i++) {
        const value = gain * (recording[f * frame + i] as number);
        samples[(at + f) * frame + i] = value;
        if (spoken[f] === 1) energy += value * value;
      }
      count += (spoken[f] as number) * frame;
    }
    at += spoken.length + silence();
  }
  const loudness = count > 0 ? Math.sqrt(energy / count) : QUIET_NOISE;
  addNoise(samples, random, loudness * decibels(-within(noise)), rate);
  return { samples, speech };
}

/** The level of noise where nobody speaks at all. */
const QUIET_NOISE = 0.03;

/** Which whole frames of a clean recording are speech. */
export function speechFrames(recording: Float32Array, frame: number): Uint8Array {
  const energies = Float64Array.from({ length: Math.floor(recording.length / frame) }, (_, f) => {
    let sum = 0;
    for (let i = f * frame; i < (f + 1) * frame; i++) sum += (recording[i] as number) ** 2;
    return sum / frame;
  });
  const loud = energies.toSorted()[Math.floor(0.95 * (energies.length - 1))] ?? 0;
  const least = Math.max(loud * decibels(-PAUSE_DECIBELS) ** 2, 1e-7);
  return Uint8Array.from(energies, (energy) => (energy > least ? 1 : 0));
}

function decibels(value: number): number {
  return 10 ** (value / 20);
}

/** Adds noise of some colour, which may swell and fade a few times a second. */
function addNoise(samples: Float32Array, random: RandomStream, loudness: number, rate: number): void {
  const [low, high] = MEMORIES[random.integer(MEMORIES.length)] as readonly [number, number];
  const memory = low + (high - low) * random.uniform();
  const fresh = Math.sqrt(1 - memory * memory);
  const swell = random.uniform() < 0.3 ? 0.4 : 0;
  const [hertz, phase] = [1 + 6 * random.uniform(), 2 * Math.PI * random.uniform()];
  let value = 0;
  for (let i = 0; i < samples.length; i++) {
    value = memory * value + fresh * random.normal();
    const level = 1 - swell + swell * Math.sin(phase + (2 * Math.PI * hertz * i) / rate);
    const mixed = (samples[i] as number) + loudness * level * value;
    samples[i] = Math.min(1, Math.max(-1, mixed));
  }
}
