import { describe, expect, it } from 'vitest';
import { tensor } from '../../../onnx/tensor.ts';
import { BrokenValue } from '../../broken-value.ts';
import type { ModalityContext, Processor } from '../modality.ts';
import { audio } from './audio.ts';
import { tone, type WavOptions, wavFile } from './testing/wav-file.ts';
import { type AudioVariation, meanPower, variationOptions, varyAudio } from './variation.ts';

const context: ModalityContext = {
  input: 'audio',
  fields: ['audio'],
  maxLength: 0,
  buckets: [],
  resolvePath: (path) => path,
};

async function open(options: Record<string, unknown> = {}): Promise<Processor> {
  return audio.open(audio.options.parse({ rate: 8000, seconds: 0.5, ...options }), context);
}

/** The column of one encoded value. */
async function column(processor: Processor, value: unknown): Promise<Float32Array> {
  const { bytes } = await processor.encode(value);
  expect(bytes.byteLength).toBe(processor.bytesFor(0));
  const samples = processor.columns[0]?.shape[0] as number;
  const values = new Float32Array(2 * samples);
  processor.decode(bytes, { input_values: tensor('float32', [2, samples], values) }, 1, {});
  expect(values.subarray(0, samples).every((value) => value === 0)).toBe(true);
  return values.slice(samples);
}

describe('audio', () => {
  it('is the middle of long audio, and the middle of silence where it is short', async () => {
    const processor = await open();
    const ramp = Float32Array.from({ length: 8000 }, (_, i) => i / 8000);
    const cut = await column(processor, { bytes: wavFile(ramp) });
    expect(cut).toHaveLength(4000);
    expect(cut[0]).toBeCloseTo(0.25, 3);
    expect(cut[3999]).toBeCloseTo(0.75, 3);
    const padded = await column(processor, { bytes: wavFile(new Float32Array(1000).fill(0.5)) });
    expect([padded[1499], padded[1500], padded[2499], padded[2500]]).toEqual(
      [0, 0.5, 0.5, 0].map((v) => expect.closeTo(v, 3)),
    );
  });

  it.each<[WavOptions, Record<string, number>]>([
    [{}, {}],
    [{ rate: 44_100 }, { resampled: 1 }],
    [
      { rate: 96_000, channels: 7, bits: 24 },
      { resampled: 1, mixed: 1 },
    ],
    [{ bits: 8 }, {}],
  ])('is the same whatever the file: %j', async (options, facts) => {
    const processor = await open();
    const encoded = await processor.encode({ bytes: wavFile(tone(300, options.rate ?? 8000, 0.5), options) });
    expect(encoded.facts ?? {}).toEqual(facts);
    const expected = tone(300, 8000, 0.5);
    const samples = await column(processor, {
      bytes: wavFile(tone(300, options.rate ?? 8000, 0.5), options),
    });
    const middle = samples
      .subarray(500, 3500)
      .map((value, i) => Math.abs(value - (expected[i + 500] as number)));
    expect(Math.max(...middle)).toBeLessThan(0.01);
  });

  it('takes samples that a source made, and tells a misnamed file', async () => {
    const processor = await open();
    const samples = await column(processor, { samples: tone(300, 8000, 0.5), rate: 8000 });
    expect(samples[5]).toBeCloseTo(tone(300, 8000, 0.5)[5] as number, 4);
    const { facts, shown } = await processor.encode({
      bytes: wavFile(tone(300, 8000, 0.5)),
      path: 'a/b.mp3',
    });
    expect(facts).toEqual({ misnamed: 1 });
    expect(shown).toBe('a/b.mp3');
  });

  it('tells of silence, which may be meant', async () => {
    const processor = await open();
    const { facts } = await processor.encode({ bytes: wavFile(new Float32Array(4000)) });
    expect(facts).toEqual({ silent: 1 });
  });

  it('tells of samples that are louder than it keeps', async () => {
    const loud = tone(300, 8000, 0.5).map((sample) => 3 * sample);
    const { facts } = await (await open()).encode({ bytes: wavFile(loud, { kind: 'float', bits: 32 }) });
    expect(facts).toEqual({ clipped: 1 });
  });

  it('is normalised as transformers does, where that is wanted', async () => {
    const samples = await column(await open({ normalize: true }), { bytes: wavFile(tone(300, 8000, 0.5)) });
    const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
    expect(mean).toBeCloseTo(0, 4);
    expect(samples.reduce((sum, value) => sum + value * value, 0) / samples.length).toBeCloseTo(1, 3);
    const config = JSON.parse(
      new TextDecoder().decode((await open({ normalize: true })).files()['preprocessor_config.json']),
    );
    expect(config).toMatchObject({ do_normalize: true, sampling_rate: 8000 });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /no audio/],
    ['a number', 3, /no audio/],
    ['a record without audio', { label: 'x' }, /neither the path/],
    ['an address', 'https://example.org/a.wav', /download it first/],
    ['a file that is not there', 'none.wav', /there is no file none/],
    ['no samples', { samples: new Float32Array(0), rate: 8000 }, /no samples/],
    ['too much', { samples: new Float32Array(9000), rate: 8000 }, /may last 1 seconds/],
  ])('%s breaks its row', async (_, value, problem) => {
    const processor = await open({ maxSeconds: 1 });
    const error = await Promise.resolve(processor.encode(value)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BrokenValue);
    expect((error as Error).message).toMatch(problem);
  });

  it('asks how long samples are to be', async () => {
    await expect(open({ seconds: undefined })).rejects.toMatchObject({
      code: 'data.options',
      remedy: expect.stringContaining('inputs.audio.seconds'),
    });
  });

  it('shows a person what it looks and sounds like', async () => {
    const processor = await open();
    const { bytes, shown } = await processor.encode({
      bytes: wavFile(tone(300, 8000, 0.5)),
      path: 'tone.wav',
    });
    const example = processor.example(bytes, Buffer.from(shown as string));
    expect(example).toMatchObject({
      text: 'tone.wav',
      picture: expect.stringMatching(/^data:image\/svg\+xml;base64,/),
      sound: expect.stringMatching(/^data:audio\/wav;base64,/),
    });
  });
});

describe('a view of audio', () => {
  const clip = new Float32Array(8000);
  clip.set(tone(500, 8000, 0.5), 2000);
  const view = (options: Partial<AudioVariation>, place = { seed: 1, sample: 1, view: 0 }) =>
    varyAudio(clip, 8000, variationOptions.parse(options), place);
  const all = {
    shift: 0.1,
    speed: 0.1,
    gain: [-6, 6],
    noise: [10, 30],
    tilt: 0.5,
    maskTime: 0.1,
    maskFrequency: 300,
  } as const;

  it('is the clip itself where nothing is varied', () => {
    expect(view({})).toEqual(clip);
  });

  it('depends on seed, sample and view alone', () => {
    const options = variationOptions.parse(all);
    const first = varyAudio(clip, 8000, options, { seed: 1, sample: 2, view: 3 });
    varyAudio(clip, 8000, options, { seed: 5, sample: 5, view: 5 });
    expect(varyAudio(clip, 8000, options, { seed: 1, sample: 2, view: 3 })).toEqual(first);
    for (const other of [
      { seed: 2, sample: 2, view: 3 },
      { seed: 1, sample: 3, view: 3 },
      { seed: 1, sample: 2, view: 4 },
    ])
      expect(varyAudio(clip, 8000, options, other)).not.toEqual(first);
    expect(first).toHaveLength(clip.length);
    expect(first.every(Number.isFinite)).toBe(true);
  });

  it('has noise so far under it as is asked for', () => {
    const noisy = view({ noise: [10, 10] });
    const noise = noisy.map((value, i) => value - (clip[i] as number));
    const ratio = meanPower(clip) / (noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
    expect(Math.abs(10 * Math.log10(ratio) - 10)).toBeLessThan(1.5);
  });

  it('is louder and quieter by decibels', () => {
    expect(10 * Math.log10(meanPower(view({ gain: [6, 6] })) / meanPower(clip))).toBeCloseTo(6, 2);
  });

  it('is moved, and nothing else, by a shift', () => {
    const moved = view({ shift: 0.1 });
    const first = moved.findIndex((value) => Math.abs(value) > 1e-3) - 2000;
    expect(Math.abs(first)).toBeLessThan(801);
    expect(first).not.toBe(0);
    expect(meanPower(moved)).toBeCloseTo(meanPower(clip), 4);
  });

  it('loses a stretch, or a band', () => {
    const silenced = (waveform: Float32Array) =>
      waveform.subarray(2001, 5999).filter((value) => value === 0).length;
    const views = Array.from({ length: 8 }, (_, i) =>
      view({ maskTime: 0.8 }, { seed: 1, sample: 1, view: i }),
    );
    expect(Math.max(...views.map(silenced)) - silenced(clip)).toBeGreaterThan(500);
    const powers = Array.from({ length: 40 }, (_, i) =>
      meanPower(view({ maskFrequency: 2000 }, { seed: 1, sample: 1, view: i })),
    );
    expect(Math.min(...powers)).toBeLessThan(0.05 * meanPower(clip));
    expect(Math.max(...powers)).toBeGreaterThan(0.9 * meanPower(clip));
  });
});
