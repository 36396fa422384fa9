import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { readdir } from '../../platform/async-files.ts';
import { join } from '../../platform/paths.ts';
import { randomStream } from '../../random.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hashFile } from '../hash-file.ts';
import { decodeAudio } from '../modalities/audio/decode-audio.ts';
import type { SplitName } from '../sample.ts';
import { defineSource } from './source.ts';
import { mixSpeech } from './speech-mixture.ts';

/** Where Debian's package puts them. */
export const ASTERISK_FOLDER = '/usr/share/asterisk/sounds/en_US_f_Allison';
const RATE = 8000;
/** Tones, a monkey, and files of silence: nobody speaks in them. */
const NO_SPEECH = /(^|\/)(silence\/|.*(beep|tone|monkeys))/;
const LONGEST_SECONDS = 120;

const decibelRange = z
  .tuple([z.number().min(-20).max(60), z.number().min(-20).max(60)])
  .refine(([low, high]) => low <= high, { error: 'expected the lower number first' });

const options = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .optional()
      .describe(
        `The folder of the recordings, WAV files of 8000 samples a second; ${ASTERISK_FOLDER} when absent.`,
      ),
    count: z
      .int()
      .min(10)
      .max(1_000_000)
      .default(1000)
      .describe('Mixtures in all: seven tenths train, one validates, two test.'),
    frames: z.int().min(4).max(2000).default(64).describe('Frames of a mixture.'),
    frame: z.int().min(64).max(4096).default(256).describe('Samples of a frame.'),
    noise: decibelRange.default([0, 25]).describe('Decibels that speech lies above noise, from and to.'),
    pause: z
      .tuple([z.number().min(0).max(60), z.number().min(0).max(60)])
      .default([0.2, 2])
      .describe('Seconds of silence between recordings, from and to.'),
    seed: z.int().min(0).default(1).describe('Draws the mixtures, and which recordings are held out.'),
  })
  .meta({
    title: 'Asterisk prompts in noise',
    description:
      'Recordings of a speaker (Debian: apt-get install asterisk-core-sounds-en-wav; CC-BY-SA-3.0) among silence and noise, with a 1 for each frame in which she speaks. Recordings that test are heard in no other split.',
  });

const SHARES: readonly (readonly [split: SplitName, share: number])[] = [
  ['train', 0.7],
  ['validation', 0.1],
  ['test', 0.2],
];

/** Mixtures of speech, silence and noise: columns `audio` (samples) and `speech`, a list of 0 and 1. */
export const asteriskPrompts = defineSource({
  kind: 'asterisk-prompts',
  gives: 'audio',
  options,
  async open({ path, ...chosen }, context) {
    const folder = path === undefined ? ASTERISK_FOLDER : context.resolvePath(path);
    const names = await recordingNames(folder);
    return {
      title: `${chosen.count} mixtures of ${names.length} recordings`,
      fingerprint: async () => {
        const files = names.map((name) => hashFile(join(folder, name)));
        return canonicalJson({ kind: 'asterisk-prompts', ...chosen, files });
      },
      declares: async () => ({ audio: { sampleRate: RATE } }),
      async *rows(signal) {
        const ordered = shuffled(names, chosen.seed);
        let used = 0;
        for (const [split, share] of SHARES) {
          const part = ordered.slice(used, used + Math.round(share * ordered.length));
          used += part.length;
          const recordings = await Promise.all(part.map((name) => read(join(folder, name))));
          for (let i = 0; i < Math.round(share * chosen.count); i++) {
            signal?.throwIfAborted();
            const random = randomStream(chosen.seed, 'mixture', split, i);
            const { samples, speech } = mixSpeech(recordings, random, { ...chosen, rate: RATE });
            const title = `${split} mixture ${i + 1}`;
            const values = { audio: { samples, rate: RATE, title }, speech: Array.from(speech) };
            yield { sample: { id: `${split}-${i}`, split, where: title, values } };
          }
        }
      },
    };
  },
});

async function read(path: string): Promise<Float32Array> {
  const { samples, rate } = await decodeAudio({ path }, { seconds: LONGEST_SECONDS });
  if (rate === RATE) return samples;
  throw new LimbeckError('data.wrong-format', `the recording has ${rate} samples a second, not ${RATE}`, {
    where: path,
    remedy: 'Correct data.source.path, or leave it out and install asterisk-core-sounds-en-wav.',
  });
}

async function recordingNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await visit(name);
      else if (name.endsWith('.wav') && !NO_SPEECH.test(name)) names.push(name);
    }
  };
  try {
    await visit('');
  } catch (cause) {
    throw new LimbeckError(
      'data.missing',
      'the recordings of the Asterisk telephone exchange are not there',
      {
        where: folder,
        remedy:
          'Install them (Debian and Ubuntu: apt-get install asterisk-core-sounds-en-wav), or set data.source.path to a folder of WAV files of speech.',
        cause,
      },
    );
  }
  if (names.length >= 10) return names.sort();
  throw new LimbeckError('data.too-few', `there are ${names.length} recordings of speech`, {
    where: folder,
    remedy: 'Name a folder with ten WAV files of speech at least.',
  });
}

function shuffled(names: readonly string[], seed: number): string[] {
  const random = randomStream(seed, 'recordings');
  const order = [...names];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j] as string, order[i] as string];
  }
  return order;
}
