import { describe, expect, it } from 'vitest';
import { NounHierarchy, readNounSynset } from './wordnet-hierarchy.ts';

const tree = (edges: Record<string, string[]>) =>
  new NounHierarchy(Object.entries(edges).map(([offset, hypernyms]) => ({ offset, hypernyms })));

describe('a line of data.noun', () => {
  it('has a word, what it is a kind of, and a gloss', () => {
    const line =
      '00017402 03 n 02 psychological_feature 0 psych 1 004 @ 00002137 n 0000 ~ 00023280 n 0000 @i 00007846 n 0000 + 01 v 0000 | a feature of the mental life; "it hurts"  ';
    expect(readNounSynset(line)).toEqual({
      offset: '00017402',
      word: 'psychological feature',
      words: ['psychological feature', 'psych'],
      file: 'noun.Tops',
      hypernyms: ['00002137', '00007846'],
      gloss: 'a feature of the mental life; "it hurts"',
    });
  });

  it('is nothing where it is the licence, a verb or without a gloss', () => {
    expect(readNounSynset('  1 This software and database is being provided')).toBeUndefined();
    expect(readNounSynset('00001740 29 v 01 breathe 0 000 | draw air')).toBeUndefined();
    expect(readNounSynset('00001740 03 n 01 entity 0 000')).toBeUndefined();
  });
});

describe('the hierarchy of nouns', () => {
  const animals = tree({
    entity: [],
    animal: ['entity'],
    pet: ['entity'],
    dog: ['animal', 'pet'],
    poodle: ['dog'],
    cat: ['animal'],
  });

  it('knows the fewest steps to everything above', () => {
    expect([...animals.ancestors('poodle')]).toEqual([
      ['poodle', 0],
      ['dog', 1],
      ['animal', 2],
      ['entity', 3],
      ['pet', 2],
    ]);
  });

  it('has the path similarity of WordNet', () => {
    expect(animals.pathSimilarity('dog', 'dog')).toBe(1);
    expect(animals.pathSimilarity('poodle', 'cat')).toBe(1 / 4);
    expect(animals.pathSimilarity('cat', 'poodle')).toBe(1 / 4);
    expect(tree({ a: [], b: [] }).pathSimilarity('a', 'b')).toBe(0);
  });

  it('chooses kinds by their share, and none that is nearly another', () => {
    expect(animals.kinds({ least: 0.1, most: 1 })).toEqual(['entity', 'animal', 'pet', 'dog']);
    expect(animals.kinds({ least: 0.3, most: 0.6 })).toEqual(['animal', 'pet']);
    const chain = tree({ a: [], b: ['a'], c: ['b'], d: ['b'], e: ['b'], f: ['b'], g: ['b'] });
    expect(chain.kinds({ least: 0.1, most: 1 })).toEqual(['a']);
  });

  it('ends where a damaged file has a circle', () => {
    expect(tree({ a: ['b'], b: ['a'] }).ancestors('a').size).toBe(2);
  });
});
