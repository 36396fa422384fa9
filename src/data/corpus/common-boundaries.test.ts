import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import { trainBpe } from '../modalities/text/tokenizer/train-bpe.ts';
import { CommonBoundaries, type PieceRead } from './common-boundaries.ts';

/** A byte-level vocabulary with the merges of a few words. */
function bpe(words: string[], normalizer: object | null = null): Tokenizer {
  const { json, config } = trainBpe([words.join(' ').repeat(3)], {
    vocabulary: 512,
    minFrequency: 2,
    special: [],
  });
  return new Tokenizer({ ...json, normalizer }, config);
}

const student = bpe(['owl', 'owls']);
const teacher = bpe(['the', 'reads', 'book', 'books']);
const [END] = student.endOfText as [number];
const reading = (theirs: Tokenizer, maxLength = 512) =>
  new CommonBoundaries(
    { tokenizer: student, spelling: 'byte-level' },
    { tokenizer: theirs, spelling: theirs.exactSpelling ?? 'byte-level' },
    maxLength,
  );
const common = reading(teacher);

const tokens = (tokenizer: Tokenizer, ids: readonly number[]) => ids.map((id) => tokenizer.token(id));
const bytesUpTo = (tokenizer: Tokenizer, ids: readonly number[], place: number) =>
  ids
    .slice(0, place + 1)
    .reduce((sum, id) => sum + (id === END ? 0 : tokenizer.spelledBytes(id, 'byte-level').length), 0);

test('tokens that end at the same byte are found, and the ends of the document', () => {
  const ids = [...student.encodePlain('the owls'), END];
  expect(tokens(student, ids)).toEqual(['t', 'h', 'e', 'Ġowls', '<|endoftext|>']);
  const read = common.read(ids);
  expect(tokens(teacher, read.ids)).toEqual(['the', 'Ġ', 'o', 'w', 'l', 's', '<|endoftext|>']);
  expect(read.boundaries).toEqual([
    { student: 2, teacher: 0, goesOn: true },
    { student: 3, teacher: 5, goesOn: true },
    { student: 4, teacher: 6, goesOn: false },
  ]);
  expect(read).toMatchObject({ isExact: true, isShortened: false, text: 'the owls' });
  expect(read.next).toEqual([...read.ids.slice(1), -1]);
  expect(read.bytes).toBeCloseTo((8 * 6) / 7);
});

test('of a piece that is cut off the last token is no boundary, and half characters at its ends are left out', () => {
  const ids = student.encodePlain('éa owl é');
  // Without the first byte of the first character and the last of the last.
  const read = common.read(ids.slice(1, -1));
  expect(read.text).toBe('a owl ');
  // The student's tokens: a byte of é, `a`, `Ġowl`, `Ġ`, a byte of é.
  expect(tokens(teacher, read.ids)).toEqual(['a', 'Ġ', 'o', 'w', 'l', 'Ġ']);
  expect(read.boundaries.map((one) => [one.student, one.teacher])).toEqual([
    [1, 0],
    [2, 4],
  ]);
});

test('whatever the text is, boundaries are where both have one', () => {
  const word = fc.constantFrom('the', 'owl', 'owls', 'books', 'é', '🦉', ' ', '\n', 'x', '<|endoftext|>');
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), fc.boolean(), (words, ends) => {
      const own = [...student.encodePlain(words.join('')), ...(ends ? [END] : [])].filter(
        (id, i, all) => id !== END || i === all.length - 1,
      );
      const read = common.read(own);
      expect(read.isExact).toBe(true);
      const isEnd = (tokenizer: Tokenizer, ids: readonly number[], i: number) => bytesUpTo(tokenizer, ids, i);
      for (const one of read.boundaries)
        expect(isEnd(student, own, one.student)).toBe(isEnd(teacher, read.ids, one.teacher));
      const theirs = new Set(read.ids.map((_, i) => isEnd(teacher, read.ids, i)));
      const both = new Set(own.map((_, i) => isEnd(student, own, i)).filter((end) => theirs.has(end)));
      const found = new Set(read.boundaries.map((one) => isEnd(student, own, one.student)));
      const last = isEnd(teacher, read.ids, read.ids.length - 1);
      // All of them, but the last one of a piece that is cut off.
      if (own.at(-1) !== END) both.delete(last);
      expect([...found].sort()).toEqual([...both].sort());
    }),
  );
});

describe('where the bytes cannot be told', () => {
  const nothing = (read: PieceRead) => {
    expect(read).toMatchObject({ isExact: false, boundaries: [] });
    expect(read.ids.length).toBeGreaterThan(0);
  };

  test('a tokenizer that changes a text is not guessed at', () => {
    const lower = reading(bpe(['the'], { type: 'Lowercase' }));
    nothing(lower.read(student.encodePlain('The owl')));
    expect(lower.read(student.encodePlain('the owl')).isExact).toBe(true);
  });

  test('nor are bytes that are no text', () => {
    const [byte] = student.encodePlain('é') as [number];
    nothing(common.read([...student.encodePlain('a'), byte, ...student.encodePlain('owl')]));
  });
});

test('SentencePiece puts a space before a text that is no part of it, and spells rare characters as bytes', () => {
  const pieces = [
    '<unk>',
    '▁the',
    '▁ow',
    'ls',
    '▁',
    ...Array.from({ length: 256 }, (_, i) => `<0x${hex(i)}>`),
  ];
  const json = {
    added_tokens: [{ id: 0, content: '<unk>', special: true }],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      vocab: Object.fromEntries(
        [...pieces, 't', 'h', 'e', 'o', 'w', 'l', 's', 'th', 'the', 'ow'].map((piece, id) => [piece, id]),
      ),
      merges: [
        ['t', 'h'],
        ['th', 'e'],
        ['▁', 'the'],
        ['o', 'w'],
        ['▁', 'ow'],
        ['l', 's'],
      ],
    },
  };
  const llama = new Tokenizer(json, {});
  expect(llama.exactSpelling).toBe('sentencepiece');
  const read = reading(llama).read([...student.encodePlain('the owlsé'), END]);
  expect(tokens(llama, read.ids)).toEqual(['▁the', '▁ow', 'ls', '<0xC3>', '<0xA9>']);
  expect(read.isExact).toBe(true);
  // `the`, ` owls`, `é`; without an end of text of the teacher none is compared.
  expect(read.boundaries.map((one) => one.teacher)).toEqual([0, 2, 3, 4]);
});

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

test('what a teacher does not read any more is no boundary', () => {
  const read = reading(teacher, 3).read([...student.encodePlain('the owls'), END]);
  expect(read.isShortened).toBe(true);
  expect(read.ids).toHaveLength(3);
  expect(read.boundaries).toEqual([{ student: 2, teacher: 0, goesOn: true }]);
});
