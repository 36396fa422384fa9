import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import { tone, wavFile } from '../modalities/audio/testing/wav-file.ts';
import type { Sample } from '../sample.ts';
import { asteriskPrompts } from './asterisk-prompts.ts';
import { audioFolder } from './audio-folder.ts';
import { VARIANTS } from './espeak-voices.ts';
import type { SourceContext } from './source.ts';
import { mixSpeech, speechFrames } from './speech-mixture.ts';
import { spokenWords } from './spoken-words.ts';

const root = mkdtempSync(join(tmpdir(), 'limbeck-speech-'));
const { PATH } = process.env;
afterAll(() => {
  process.env.PATH = PATH;
  rmSync(root, { recursive: true, force: true });
});

let context: SourceContext;
beforeEach(() => {
  process.env.PATH = PATH;
  context = { resolvePath: (path) => path, cacheFolder: mkdtempSync(join(root, 'cache-')) };
});

async function samplesOf(source: Awaited<ReturnType<typeof spokenWords.open>>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const row of source.rows()) if ('sample' in row) samples.push(row.sample);
  return samples;
}

/** A program that speaks a tone, and writes down what it was asked for. */
function installProgram(): string {
  const folder = mkdtempSync(join(root, 'bin-'));
  const log = join(folder, 'calls');
  writeFileSync(join(folder, 'tone.wav'), wavFile(tone(300, 22_050, 0.2), { rate: 22_050 }));
  const script = `#!/bin/sh
if [ "$1" = "--version" ]; then echo "eSpeak NG text-to-speech: 9.9  Data at: /x"; exit 0; fi
echo "$@" >> '${log}'
while [ "$1" != "-w" ]; do shift; done
cp '${folder}/tone.wav' "$2"
`;
  writeFileSync(join(folder, 'espeak-ng'), script);
  chmodSync(join(folder, 'espeak-ng'), 0o755);
  process.env.PATH = `${folder}:${PATH}`;
  return log;
}

describe.skipIf(process.platform === 'win32')('spoken words', () => {
  const options = spokenWords.options.parse({ words: ['yes', '-no'], voices: 10, takes: 2 });

  it('are spoken once by every voice, and voices that test are heard nowhere else', async () => {
    const log = installProgram();
    const samples = await samplesOf(await spokenWords.open(options, context));
    expect(samples).toHaveLength(2 * 10 * 2);
    const voices = (split: string) =>
      new Set(samples.filter((one) => one.split === split).map(({ group }) => group));
    expect([voices('train').size, voices('validation').size, voices('test').size]).toEqual([7, 1, 2]);
    expect(new Set(samples.map(({ group }) => group)).size).toBe(10);
    expect(new Set(samples.map(({ values }) => values.label))).toEqual(new Set(['yes', '-no']));
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    expect(calls).toHaveLength(40);
    // A word may look like an option.
    expect(calls.filter((call) => call.endsWith('-- -no'))).toHaveLength(20);

    const again = await samplesOf(await spokenWords.open(options, context));
    expect(again).toEqual(samples);
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(40);
  });

  it('are others by another seed, and have another fingerprint', async () => {
    installProgram();
    const [one, other] = await Promise.all(
      [1, 2].map((seed) => spokenWords.open({ ...options, seed }, context)),
    );
    expect(await one?.fingerprint()).not.toBe(await other?.fingerprint());
    expect(await one?.fingerprint()).toBe(await (await spokenWords.open(options, context)).fingerprint());
  });

  it('say what to install where the program is missing, or fails', async () => {
    process.env.PATH = mkdtempSync(join(root, 'empty-'));
    await expect(spokenWords.open(options, context)).rejects.toMatchObject({
      code: 'data.missing',
      remedy: expect.stringContaining('apt-get install espeak-ng'),
    });
    installProgram();
    const source = await spokenWords.open(options, context);
    process.env.PATH = `${mkdtempSync(join(root, 'empty-'))}`;
    await expect(samplesOf(source)).rejects.toMatchObject({ code: 'data.missing' });
  });

  it('has each voice once', () => {
    expect(new Set(VARIANTS).size).toBe(VARIANTS.length);
  });
});

/** Half a second of a loud tone, as much silence, the tone again. */
const RECORDING = Float32Array.from([
  ...tone(300, 8000, 0.5),
  ...new Float32Array(4000),
  ...tone(300, 8000, 0.5),
]);

describe('mixtures of speech', () => {
  const options = { frame: 256, frames: 128, rate: 8000, noise: [10, 10], pause: [0.5, 1] } as const;

  it('know where somebody speaks', () => {
    const speech = speechFrames(RECORDING, 256);
    expect(speech).toHaveLength(46);
    expect([speech[3], speech[22], speech[40]]).toEqual([1, 0, 1]);
    expect(speech.filter((one) => one === 1).length).toBeCloseTo(31, -1);
    expect(speechFrames(new Float32Array(2560), 256)).toEqual(new Uint8Array(10));
  });

  it('lie so far above noise as is asked for', () => {
    const { samples, speech } = mixSpeech([RECORDING], randomStream(1, 'mixture'), options);
    expect(samples).toHaveLength(256 * 128);
    const power = (is: number) => {
      const frames = [...speech.keys()].filter(
        (f) => speech[f] === is && speech[f - 1] === is && speech[f + 1] === is,
      );
      const sum = frames.reduce(
        (total, f) => total + samples.subarray(f * 256, (f + 1) * 256).reduce((s, v) => s + v * v, 0),
        0,
      );
      return sum / (256 * frames.length);
    };
    expect(10 * Math.log10((power(1) - power(0)) / power(0))).toBeGreaterThan(6);
    expect(10 * Math.log10((power(1) - power(0)) / power(0))).toBeLessThan(14);
    expect(Math.max(...samples)).toBeLessThanOrEqual(1);
  });

  it('are drawn by the stream alone', () => {
    const mix = (seed: number) => mixSpeech([RECORDING], randomStream(seed, 'mixture'), options).samples;
    expect(mix(1)).toEqual(mix(1));
    expect(mix(1)).not.toEqual(mix(2));
  });
});

describe('asterisk prompts', () => {
  function recordings(count: number, rate = 8000): string {
    const folder = mkdtempSync(join(root, 'prompts-'));
    mkdirSync(join(folder, 'digits'));
    mkdirSync(join(folder, 'silence'));
    for (let i = 0; i < count; i++)
      writeFileSync(join(folder, 'digits', `${i}.wav`), wavFile(tone(200 + 50 * i, rate, 0.5), { rate }));
    writeFileSync(join(folder, 'silence', '1.wav'), wavFile(new Float32Array(800)));
    writeFileSync(join(folder, 'beep.wav'), wavFile(tone(1000, 8000, 0.1)));
    return folder;
  }
  const open = (path: string, more: Record<string, unknown> = {}) =>
    asteriskPrompts.open(asteriskPrompts.options.parse({ path, count: 20, frames: 16, ...more }), context);

  it('become mixtures with a 1 for each frame of speech', async () => {
    const source = await open(recordings(20));
    const samples = await samplesOf(source);
    expect(source.title).toBe('20 mixtures of 20 recordings');
    expect(samples.map(({ split }) => split).filter((split) => split === 'test')).toHaveLength(4);
    expect(samples).toHaveLength(20);
    for (const { values } of samples) {
      expect((values.audio as { samples: Float32Array }).samples).toHaveLength(16 * 256);
      expect(values.speech).toHaveLength(16);
    }
    expect(samples.some(({ values }) => (values.speech as number[]).includes(1))).toBe(true);
    expect(await samplesOf(await open(recordings(20)))).toEqual(samples);
  });

  it('say what to install where they are missing, and refuse others', async () => {
    await expect(open(join(root, 'none'))).rejects.toMatchObject({
      code: 'data.missing',
      remedy: expect.stringContaining('apt-get install asterisk-core-sounds-en-wav'),
    });
    await expect(open(recordings(3))).rejects.toMatchObject({ code: 'data.too-few' });
    await expect(samplesOf(await open(recordings(12, 16_000)))).rejects.toMatchObject({
      code: 'data.wrong-format',
    });
  });
});

it('a folder of audio has the classes of its subfolders', async () => {
  const folder = mkdtempSync(join(root, 'folder-'));
  for (const [path, name] of [
    ['train/yes', 'b.WAV'],
    ['train/yes', 'a.flac'],
    ['train/yes', 'notes.txt'],
    ['test/no', 'c.mp3'],
  ] as const) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, name), name);
  }
  const open = () => audioFolder.open(audioFolder.options.parse({ path: folder }), context);
  expect(await samplesOf(await open())).toEqual([
    { where: 'test/no/c.mp3', folder, split: 'test', values: { audio: 'test/no/c.mp3', label: 'no' } },
    ...['a.flac', 'b.WAV'].map((name) => ({
      where: `train/yes/${name}`,
      folder,
      split: 'train',
      values: { audio: `train/yes/${name}`, label: 'yes' },
    })),
  ]);
  const before = await (await open()).fingerprint();
  writeFileSync(join(folder, 'test/no/c.mp3'), 'other');
  expect(await (await open()).fingerprint()).not.toBe(before);
});
