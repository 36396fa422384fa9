import { join } from 'node:path';
import type { Tokenizer } from '../src/data/modalities/text/tokenizer/tokenizer.ts';
import type { RecordSplit } from '../src/data/prepared/record-split.ts';
import { openWordnet, wordnetFolder } from '../src/data/sources/wordnet-glosses.ts';
import { NounHierarchy, type NounSynset } from '../src/data/sources/wordnet-hierarchy.ts';
import { nounSynsets } from '../src/data/sources/wordnet-kinds.ts';
import type { Recipe } from '../src/index.ts';
import { prepareRecipeData } from '../src/run/data/prepare-data.ts';

/** A noun of WordNet with what nobody told the students of it: its class, its place among other nouns, its examples. */
export interface Noun {
  readonly offset: string;
  readonly definition: string;
  /** The number of its lexicographer file, 0 to 25. */
  readonly label: number;
  /** Sentences that use the noun. */
  readonly examples: readonly string[];
}

export interface Nouns {
  readonly train: readonly Noun[];
  readonly validation: readonly Noun[];
  readonly test: readonly Noun[];
  readonly hierarchy: NounHierarchy;
  readonly classes: number;
}

/** The nouns of a recipe's splits: the same samples as in its runs. */
export async function recipeNouns(recipe: Recipe, tokenizer: Tokenizer): Promise<Nouns> {
  const { splits, close } = await openSplits(recipe, tokenizer);
  try {
    const folder = await wordnetFolder();
    const labels = new Map<string, string>();
    for await (const row of (await openWordnet(folder)).rows()) {
      if ('sample' in row && row.sample.id !== undefined)
        labels.set(row.sample.id, row.sample.values.label as string);
    }
    const names = [...new Set(labels.values())].sort();
    const synsets = new Map<string, NounSynset>();
    for await (const synset of nounSynsets(join(folder, 'dict', 'data.noun')))
      if (!('broken' in synset)) synsets.set(synset.offset, synset);
    const nounsOf = (split: RecordSplit): Noun[] =>
      Array.from({ length: split.size }, (_, ordinal) => {
        const id = split.id(ordinal);
        const offset = id.replace('noun.', '');
        return {
          offset,
          definition: split.text(ordinal),
          label: names.indexOf(labels.get(id) as string),
          examples: examplesOf((synsets.get(offset) as NounSynset).gloss),
        };
      });
    return {
      train: nounsOf(splits.train),
      validation: nounsOf(splits.validation),
      test: nounsOf(splits.test),
      hierarchy: new NounHierarchy(synsets.values()),
      classes: names.length,
    };
  } finally {
    close();
  }
}

async function openSplits(recipe: Recipe, tokenizer: Tokenizer) {
  const dataset = await prepareRecipeData({ recipe, options: { out: '.' } }, { tokenizer });
  return { splits: dataset.splits, close: () => dataset.close() };
}

/** The sentences in quotes behind a definition: `a separate entity; "he saw a thing"`. */
function examplesOf(gloss: string): string[] {
  const found = [...gloss.matchAll(/"([^"]+)"/g)].map(([, text]) => (text as string).trim());
  const definition = gloss.replace(/[;:,]\s*".*$/s, '');
  return found.filter((text) => text !== '' && !definition.includes(text));
}
