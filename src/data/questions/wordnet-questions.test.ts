import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { definition } from '../sources/wordnet-gloss.ts';
import { wordnetFolder } from '../sources/wordnet-glosses.ts';
import { NounHierarchy, type NounSynset } from '../sources/wordnet-hierarchy.ts';
import { nounSynsets } from '../sources/wordnet-kinds.ts';
import { definedIn, type WordnetQuestionKind, wordnetQuestions } from './wordnet-questions.ts';

const synsets: NounSynset[] = [];
const byId = new Map<string, NounSynset>();
let isHeldOut: (synset: NounSynset) => boolean;

beforeAll(async () => {
  for await (const synset of nounSynsets(join(await wordnetFolder(), 'dict', 'data.noun')))
    if (!('broken' in synset)) synsets.push(synset);
  for (const synset of synsets) byId.set(`noun.${synset.offset}`, synset);
  // One in twenty, as a test split has them.
  isHeldOut = definedIn(synsets.filter((_, i) => i % 20 === 0).map(({ gloss }) => definition(gloss)));
});

const made = (kind: WordnetQuestionKind, seed: number) =>
  wordnetQuestions(synsets, { kind, isHeldOut, seed, count: 120 });

const known = new Map<WordnetQuestionKind, ReturnType<typeof made>>();
const questions = (kind: WordnetQuestionKind) => {
  const asked = known.get(kind) ?? made(kind, 1);
  known.set(kind, asked);
  return asked;
};

describe('questions about held-out nouns', () => {
  it.each<WordnetQuestionKind>(['definition', 'hypernym', 'example'])(
    'are repeatable, and fair: %s',
    (kind) => {
      const asked = questions(kind);
      expect(asked).toHaveLength(120);
      expect(made(kind, 1)).toEqual(asked);
      expect(made(kind, 2)).not.toEqual(asked);
      expect(new Set(asked.map(({ id }) => id)).size).toBe(120);
      const [places, longest] = [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ];
      for (const { id, choices, answer, subject } of asked) {
        const synset = byId.get(id) as NounSynset;
        expect(isHeldOut(synset)).toBe(true);
        expect(synset.file).toBe(subject);
        expect(new Set(choices).size).toBe(4);
        const lengths = choices.map(({ length }) => length);
        expect(Math.max(...lengths) / Math.min(...lengths)).toBeLessThan(1.6);
        (places[answer] as number)++;
        (longest[(lengths.indexOf(Math.max(...lengths)) - answer + 4) % 4] as number)++;
      }
      // 30 of 120 each, within four deviations.
      for (const count of [...places, longest[0] as number]) expect(Math.abs(count - 30)).toBeLessThan(19);
    },
  );

  it('have definitions that are held out too, and none of a wider or narrower word', () => {
    const held = new Map(synsets.filter(isHeldOut).map((synset) => [definition(synset.gloss), synset]));
    const hierarchy = new NounHierarchy(synsets);
    for (const { id, choices, answer, text } of questions('definition')) {
      const synset = byId.get(id) as NounSynset;
      expect(choices[answer]).toBe(definition(synset.gloss));
      expect(text).toBe(`What does "${synset.word}" mean?`);
      for (const choice of choices) {
        const other = held.get(choice) as NounSynset;
        expect(other.file).toBe(synset.file);
        if (other !== synset) expect(hierarchy.ancestors(synset.offset).has(other.offset)).toBe(false);
      }
    }
  });

  it('have one kind that is true', () => {
    const hierarchy = new NounHierarchy(synsets);
    const byOffset = new Map(synsets.map((synset) => [synset.offset, synset]));
    for (const { id, choices, answer } of questions('hypernym')) {
      const { offset, hypernyms } = byId.get(id) as NounSynset;
      const truths = [...hierarchy.ancestors(offset).keys()].flatMap((one) => byOffset.get(one)?.words ?? []);
      expect(byOffset.get(hypernyms[0] as string)?.word).toBe(choices[answer]);
      expect(choices.filter((choice) => truths.includes(choice))).toEqual([choices[answer]]);
    }
  });

  it('have examples with the word in each', () => {
    for (const { id, choices, answer, text, beginning } of questions('example')) {
      const { words, gloss } = byId.get(id) as NounSynset;
      const word = words.find((one) => text.includes(`"${one}"`)) as string;
      expect(gloss).toContain(choices[answer]);
      for (const choice of choices) expect(choice).toContain(word);
      expect(beginning).toContain(definition(gloss));
    }
  });

  it('are asked as a dictionary has them, of the same words', () => {
    for (const kind of ['definition', 'hypernym', 'example'] as const) {
      const entries = wordnetQuestions(synsets, { kind, isHeldOut, seed: 1, count: 5, form: 'entries' });
      entries.forEach((entry, i) => {
        const sentence = questions(kind)[i];
        expect([entry.id, entry.answer, entry.text]).toEqual([
          sentence?.id,
          sentence?.answer,
          sentence?.text,
        ]);
        const { words, gloss } = byId.get(entry.id) as NounSynset;
        expect(entry.beginning).toMatch(new RegExp(`^${words.join(', ')} \\(noun\\):`));
        expect(entry.premise).not.toContain(definition(gloss));
        const right = entry.choices[entry.answer] as string;
        const plain = sentence?.choices[entry.answer] as string;
        const whole = {
          definition: plain,
          hypernym: `${/^[aeiou]/.test(plain) ? 'an' : 'a'} ${plain}`,
          example: `"${plain}"`,
        };
        expect(right).toBe(whole[kind]);
      });
    }
  });

  it('are none where there are too few to choose from', () => {
    const one = synsets.find(isHeldOut) as NounSynset;
    const few = { kind: 'definition' as const, isHeldOut: (synset: NounSynset) => synset === one, seed: 1 };
    expect(wordnetQuestions(synsets, few)).toEqual([]);
  });
});
