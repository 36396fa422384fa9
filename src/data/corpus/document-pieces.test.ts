import { expect, test } from 'vitest';
import { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import { trainBpe } from '../modalities/text/tokenizer/train-bpe.ts';
import type { DataSource, SourceRow } from '../sample.ts';
import { corpusSource } from './corpus-source.ts';
import { documentPieces } from './document-pieces.ts';

const TEXT = 'A gloss is a short text. Another gloss is a longer text, with a word or two more.\n';
const { json, config } = trainBpe([TEXT, TEXT], {
  vocabulary: 512,
  minFrequency: 2,
  special: [],
});
const tokenizer = new Tokenizer(json, config);
const [end] = tokenizer.endOfText as [number];

const pieces = (text: string, maxLength: number) => [...documentPieces(text, tokenizer, maxLength)];

test('a short document is one piece: each token asks for the next one, the last for nothing', () => {
  const ids = tokenizer.encodePlain('a short text');
  expect(pieces('a short text', 64)).toEqual([
    {
      ids: [...ids, end],
      next: [...ids.slice(1), end, -1],
      text: 'a short text',
      bytes: expect.closeTo((12 * ids.length) / (ids.length + 1)),
    },
  ]);
});

test('a long one is several: no token is lost or in two of them, and each is asked for once', () => {
  const text = TEXT.repeat(41);
  const found = pieces(text, 16);
  const ids = [...tokenizer.encodePlain(text), end];
  expect(found.flatMap((piece) => piece.ids)).toEqual(ids);
  expect(found.flatMap(({ next }) => next)).toEqual([...ids.slice(1), -1]);
  expect(Math.max(...found.map((piece) => piece.ids.length))).toBe(16);
  expect(found.map((piece) => piece.text).join('')).toBe(text);
  const bytes = found.reduce((sum, piece) => sum + piece.bytes, 0);
  expect(bytes).toBeCloseTo((text.length * (ids.length - 1)) / ids.length, 3);
});

test('a piece of one token asks for nothing and is left out', () => {
  const [first, second] = tokenizer.encodePlain('a text') as [number, number];
  expect(pieces('a text', 2).map((piece) => piece.ids)).toEqual([[first, second]]);
});

// Without that, a book would be tokenized as one string, and nothing after its first 100,000 characters be read.
test('a book is cut into tokens in parts, at the ends of lines, and as it would be in one', () => {
  const book = `${'word '.repeat(30)}\n`.repeat(900);
  expect(book.length).toBeGreaterThan(100_000);
  const ids = pieces(book, 512).flatMap((piece) => piece.ids);
  expect(tokenizer.decode(ids)).toBe(book);
});

test('of a source every document becomes its pieces, of one group; what is no text is told of', async () => {
  const rows: SourceRow[] = [
    { sample: { id: 'a', values: { text: TEXT } } },
    { sample: { where: 'file:2', values: { text: 7 } } },
    { sample: { values: { text: TEXT.slice(0, 25) } } },
  ];
  const source: DataSource = {
    title: 'documents',
    fingerprint: async () => 'documents',
    async *rows() {
      yield* rows;
    },
  };
  const found: SourceRow[] = [];
  const corpus = corpusSource(source, { field: 'text', tokenizer, maxLength: 8 });
  for await (const row of corpus.rows()) found.push(row);
  const samples = found.flatMap((row) => ('sample' in row ? [row.sample] : []));
  expect(samples.map(({ id }) => id).slice(0, 3)).toEqual(['a', 'a#2', 'a#3']);
  expect(new Set(samples.slice(0, 3).map(({ group }) => group)).size).toBe(1);
  expect(samples.at(-1)?.group).not.toBe('a');
  expect(found.find((row) => 'broken' in row)).toEqual({
    broken: { where: 'file:2', problem: "'text' is a number, not text", reason: 'text' },
  });
  const other = corpusSource(source, { field: 'text', tokenizer, maxLength: 16 });
  expect(await other.fingerprint()).not.toBe(await corpus.fingerprint());
});
