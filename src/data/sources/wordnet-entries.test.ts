import { expect, test } from 'vitest';
import { readEntry } from './wordnet-entries.ts';

test('an entry is its words, its part of speech, and the gloss with its examples', () => {
  const noun =
    '00977867 04 n 02 safety_blitz 0 blitz 2 003 @ 00974725 n 0000 + 01128645 v 0101 | a sudden attack; "the blitz failed"  ';
  expect(readEntry(noun, 'noun')).toEqual({
    offset: '00977867',
    text: 'safety blitz, blitz (noun): a sudden attack; "the blitz failed"',
  });
  const adjective = '00530966 00 s 01 super(p) 0 001 & 00527630 a 0000 | including more than a category  ';
  expect(readEntry(adjective, 'adjective')?.text).toBe('super (adjective): including more than a category');
});

test('the licence, and a line without a gloss, are none', () => {
  expect(readEntry('  1 This software and database is being provided', 'noun')).toBeUndefined();
  expect(readEntry('00530966 00 s 01 super 0 000 |  ', 'adjective')).toBeUndefined();
});
