import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { BrokenValue } from '../../broken-value.ts';
import { decodeAudio } from './decode-audio.ts';
import { tone, type WavOptions, wavFile } from './testing/wav-file.ts';

const SECONDS = 30;
const folder = mkdtempSync(join(tmpdir(), 'limbeck-audio-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sample = (name: string) => fileURLToPath(new URL(`./testing/files/${name}`, import.meta.url));
const decode = (bytes: Uint8Array) => decodeAudio({ bytes }, { seconds: SECONDS });

/** The problem that makes a row broken. */
async function problemOf(bytes: Uint8Array): Promise<string> {
  const error = await decode(bytes).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(BrokenValue);
  expect((error as BrokenValue).reason).toBe('audio');
  return (error as BrokenValue).message;
}

describe('WAV', () => {
  it.each<[title: string, options: WavOptions, precision: number]>([
    ['8 bits', { bits: 8 }, 0.01],
    ['16 bits', { bits: 16 }, 1e-4],
    ['24 bits', { bits: 24 }, 1e-6],
    ['32 bits', { bits: 32 }, 1e-6],
    ['float', { kind: 'float', bits: 32 }, 1e-7],
    ['double', { kind: 'float', bits: 64 }, 1e-7],
    ['7 channels', { channels: 7 }, 1e-4],
    ['96 kHz', { rate: 96_000, bits: 24 }, 1e-6],
    ['a length that was not known', { promised: 0xffffffff }, 1e-4],
    ['no length', { promised: 0 }, 1e-4],
    ['an odd chunk before the audio', { before: Uint8Array.from(Buffer.from('LIST\x03\0\0\0abc\0')) }, 1e-4],
  ])('of %s is read', async (_, options, precision) => {
    const expected = tone(440, options.rate ?? 8000, 0.1);
    const { samples, rate } = await decode(wavFile(expected, options));
    expect(rate).toBe(options.rate ?? 8000);
    expect(samples).toHaveLength(expected.length);
    const differences = samples.map((value, i) => Math.abs(value - (expected[i] as number)));
    expect(Math.max(...differences)).toBeLessThan(precision);
  });

  it('takes the mean of its channels', async () => {
    const file = wavFile(tone(440, 8000, 0.1), { channels: 2, bits: 16 });
    const view = new DataView(file.buffer, file.byteOffset + 44);
    for (let at = 2; at < view.byteLength; at += 4) view.setInt16(at, -view.getInt16(at - 2, true), true);
    expect((await decode(file)).samples.every((value) => value === 0)).toBe(true);
  });

  it.each<[title: string, file: Uint8Array, problem: RegExp]>([
    ['no samples', wavFile([]), /no samples/],
    ['nothing', new Uint8Array(0), /empty/],
    [
      'gigabytes that are not there',
      wavFile(tone(440, 8000, 0.1), { promised: 2e9 }),
      /cut off: it promises .* holds 0.1 s/,
    ],
    [
      'half of its audio',
      wavFile(tone(440, 8000, 1)).subarray(0, 8044),
      /promises 1 seconds and holds 0.5 s/,
    ],
    ['half of its header', wavFile(tone(440, 8000, 1)).subarray(0, 30), /format .* cut off/],
    [
      'an hour',
      wavFile(new Float32Array(3600 * 1000), { rate: 1000, bits: 8 }),
      /30 seconds, and lasts 60 minutes/,
    ],
    ['a rate of 3 Hz', wavFile([0, 0], { rate: 3 }), /3 samples a second/],
    ['no channels', wavFile([0, 0], { channels: 0 }), /0 channels/],
    ['text', Buffer.from('This is a letter and no sound at all.'), /no WAV, FLAC, MP3 or Ogg/],
    ['another scale', wavFile([0, 9000], { kind: 'float', bits: 32 }), /reach 9000, where 1 is the loudest/],
    ['numbers that are none', wavFile([0, Number.NaN], { kind: 'float', bits: 32 }), /no numbers/],
  ])('with %s is a broken row', async (_, file, problem) => {
    expect(await problemOf(file)).toMatch(problem);
  });
});

describe('compressed audio', () => {
  it.each([
    ['tone.flac', 16_000, 1e-4],
    ['tone.mp3', 16_000, 0.05],
    ['tone.ogg', 16_000, 0.05],
    ['tone.opus', 48_000, 0.05],
  ])('%s is decoded', async (name, expectedRate, precision) => {
    const { samples, rate } = await decodeAudio({ path: sample(name) }, { seconds: SECONDS });
    expect(rate).toBe(expectedRate);
    // Encoders of MP3 add silence before and after.
    expect(samples.length / rate).toBeGreaterThan(0.24);
    expect(samples.length / rate).toBeLessThan(0.4);
    // A tone of half the amplitude, with 440 periods a second.
    const middle = samples.subarray(Math.floor(0.1 * rate), Math.floor(0.2 * rate));
    const loudness = Math.sqrt(middle.reduce((sum, value) => sum + value * value, 0) / middle.length);
    expect(Math.abs(loudness - 0.5 / Math.SQRT2)).toBeLessThan(precision);
    const rises = middle.filter((value, i) => i > 0 && value >= 0 && (middle[i - 1] as number) < 0).length;
    expect(Math.abs(rises - 44)).toBeLessThanOrEqual(1);
  });

  it.each([
    ['half of a FLAC file', 'tone.flac', 0.5, 1, /promises 0\.25 seconds and holds 0 s/],
    ['most of an Ogg Vorbis file', 'tone.ogg', 0.95, 1, /cut off in the page at byte \d+/],
    ['most of an Ogg Opus file', 'tone.opus', 0.95, 1, /cut off in the page at byte \d+/],
    ['an Ogg file with a bit changed', 'tone.ogg', 1, 0xfe, /the page at byte 58 has another checksum/],
  ])('%s is a broken row that says so', async (_, name, part, mask, problem) => {
    const whole = new Uint8Array(readFileSync(sample(name)));
    const file = whole.slice(0, Math.floor(part * whole.length));
    const middle = file.length >> 1;
    if (mask !== 1) file[middle] = (file[middle] as number) ^ 1;
    expect(await problemOf(file)).toMatch(problem);
  });

  it.each(['tone.flac', 'tone.ogg', 'tone.opus'])('%s is whole with a tag behind it', async (name) => {
    const whole = readFileSync(sample(name));
    const tagged = Buffer.concat([whole, Buffer.from('TAG'), Buffer.alloc(125)]);
    expect((await decode(tagged)).samples).toEqual((await decode(whole)).samples);
  });

  it('an Ogg file may have two streams, one after the other', async () => {
    const whole = readFileSync(sample('tone.opus'));
    expect((await decode(Buffer.concat([whole, whole]))).samples.length).toBeGreaterThan(0);
  });

  it('is told by how it begins, not by its ending', async () => {
    const path = join(folder, 'really-flac.wav');
    writeFileSync(path, readFileSync(sample('tone.flac')));
    expect((await decodeAudio({ path }, { seconds: SECONDS })).samples).toHaveLength(4000);
  });

  it('of an hour in a few bytes is not decoded to its end', async () => {
    const bytes = readFileSync(sample('hour.flac'));
    expect(bytes.length).toBeLessThan(20_000);
    expect(await problemOf(bytes)).toMatch(/30 seconds, and lasts more/);
  });

  it.each(['tone.flac', 'tone.mp3', 'tone.ogg', 'tone.opus'])(
    '%s that is damaged ends nothing else',
    async (name) => {
      const bytes = new Uint8Array(readFileSync(sample(name)));
      for (let i = 200; i < bytes.length; i++) bytes[i] = (i * 7919) & 255;
      const result = await decode(bytes).catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(BrokenValue);
      else expect((result as { samples: Float32Array }).samples.length).toBeLessThan(SECONDS * 48_000);
    },
  );
});

it('a file that is not there is a broken row', async () => {
  const path = join(folder, 'none.wav');
  await expect(decodeAudio({ path }, { seconds: SECONDS })).rejects.toThrow(`there is no file ${path}`);
});
