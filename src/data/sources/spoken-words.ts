import { z } from 'zod';
import { noneTwice } from '../../none-twice.ts';
import { mkdir, rename, rm } from '../../platform/async-files.ts';
import { existsSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { PROCESS_ID } from '../../platform/machine.ts';
import { join } from '../../platform/paths.ts';
import { type RandomStream, randomStream } from '../../random.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { SplitName } from '../sample.ts';
import { espeakVersion, speakToFile, type Utterance } from './espeak.ts';
import { ACCENTS, VARIANTS } from './espeak-voices.ts';
import { defineSource } from './source.ts';

const range = z.tuple([z.int(), z.int()]).refine(([low, high]) => low <= high, {
  error: 'expected the lower number first',
});

const options = z
  .strictObject({
    words: z
      .array(
        z
          .string()
          .trim()
          .regex(/^[^\p{Cc}/\\.][^\p{Cc}/\\]{0,59}$/u, { error: 'expected a word or a few' }),
      )
      .min(2)
      .max(1000)
      .superRefine(noneTwice('the word'))
      .describe('What is spoken; each is a class.'),
    takes: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe('How often a voice speaks each word, in an accent, speed and pitch of its own each time.'),
    voices: z
      .int()
      .min(3)
      .max(VARIANTS.length)
      .default(VARIANTS.length)
      .describe('How many voices there are; a tenth of them validates, and a fifth tests.'),
    speed: range
      .default([80, 180])
      .describe('Words a minute, from and to. Recordings of single words are slow.'),
    pitch: range.default([20, 85]).describe('From 0 to 99.'),
    seed: z.int().min(0).default(1).describe('Draws who speaks how, and which voices are held out.'),
  })
  .meta({
    title: 'Spoken words',
    description:
      'Words spoken by voices of the program espeak-ng (Debian: apt-get install espeak-ng), once, into the cache folder. Voices that test are heard in no other split.',
  });

type Options = z.output<typeof options>;

/** Words that are spoken at the same time: the program waits for itself now and then. */
const AT_ONCE = 4;

/** Words in files: columns `audio` and `label`. */
export const spokenWords = defineSource({
  kind: 'spoken-words',
  gives: 'audio',
  options,
  async open(chosen, { cacheFolder }) {
    const version = await espeakVersion();
    const fingerprint = canonicalJson({ kind: 'spoken-words', version, ...chosen });
    const name = createSha256().update(fingerprint).digest('hex').slice(0, 16);
    const folder = join(cacheFolder, 'spoken-words', name);
    return {
      title: `${chosen.words.length} words spoken by ${chosen.voices} voices of ${version}`,
      fingerprint: async () => fingerprint,
      async *rows(signal) {
        const spoken = utterances(chosen);
        for (let from = 0; from < spoken.length; from += AT_ONCE) {
          signal?.throwIfAborted();
          const some = spoken.slice(from, from + AT_ONCE);
          await Promise.all(some.map((one) => keep(folder, one)));
          for (const { file, word, voice, split } of some) {
            const values = { audio: file, label: word };
            yield { sample: { id: file, group: voice, split, where: file, folder, values } };
          }
        }
      },
    };
  },
});

interface SpokenWord {
  readonly word: string;
  /** The variant of the voice. */
  readonly voice: string;
  readonly split: SplitName;
  /** Relative to the folder of all. */
  readonly file: string;
  readonly utterance: Utterance;
}

function utterances({ words, takes, voices, speed, pitch, seed }: Options): SpokenWord[] {
  const within = (random: RandomStream, [low, high]: readonly [number, number]) =>
    low + random.integer(high - low + 1);
  return splitVoices(voices, seed).flatMap(({ voice, split }) =>
    Array.from({ length: takes }, (_, take) =>
      words.map((word) => {
        const random = randomStream(seed, 'spoken-words', voice, word, take);
        const accent = ACCENTS[random.integer(ACCENTS.length)] as string;
        return {
          word,
          voice,
          split,
          file: join(voice, `${word}-${take + 1}.wav`),
          utterance: {
            text: word,
            voice: `${accent}+${voice}`,
            speed: within(random, speed),
            pitch: within(random, pitch),
          },
        };
      }),
    ).flat(),
  );
}

/** The voices in a random order, of which the first test and the next validate. */
function splitVoices(count: number, seed: number): { voice: string; split: SplitName }[] {
  const random = randomStream(seed, 'voices');
  const voices: string[] = [...VARIANTS];
  for (let i = voices.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [voices[i], voices[j]] = [voices[j] as string, voices[i] as string];
  }
  const tests = Math.max(1, Math.round(count / 5));
  const validates = Math.max(1, Math.round(count / 10));
  return voices.slice(0, count).map((voice, i) => ({
    voice,
    split: i < tests ? 'test' : i < tests + validates ? 'validation' : 'train',
  }));
}

/** Speaks a word into its file, unless an earlier run did. */
async function keep(folder: string, { file, voice, utterance }: SpokenWord): Promise<void> {
  const path = join(folder, file);
  if (existsSync(path)) return;
  await mkdir(join(folder, voice), { recursive: true });
  // Under another name until it is whole: a run may be killed meanwhile, and another may speak the same word.
  const partial = `${path}.${PROCESS_ID}.partial`;
  try {
    await speakToFile(utterance, partial);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
