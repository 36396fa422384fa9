import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { AutoTokenizer } from '@huggingface/transformers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BYTE_OF_LETTER, LETTER_OF_BYTE } from './byte-letters.ts';
import { Tokenizer } from './tokenizer.ts';
import { type BpeOptions, trainBpe } from './train-bpe.ts';

const TEXTS = [
  'low low low low low lower lower',
  'newest newest newest newest newest newest',
  'wider wider wider',
];

function trained(texts: readonly string[], options: Partial<BpeOptions> = {}) {
  const { json, config } = trainBpe(texts, { vocabulary: 512, minFrequency: 2, ...options });
  const { vocab, merges } = json.model as { vocab: Record<string, number>; merges: string[] };
  const library = new LibraryTokenizer(json, config);
  return { json, config, vocab, merges, library, tokenizer: new Tokenizer(json, config) };
}

/** Merges as the paper has them: all pairs are counted anew after each. Words have no spaces inside. */
function countedAnew(texts: readonly string[], minFrequency: number): string[] {
  const ids = new Map(LETTER_OF_BYTE.map((letter, byte) => [letter, byte]));
  let words = texts.flatMap((text) =>
    [...text.matchAll(/ ?[^ ]+/g)].map(([word]) =>
      [...new TextEncoder().encode(word)].map((byte) => LETTER_OF_BYTE[byte] as string),
    ),
  );
  const merges: string[] = [];
  for (;;) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const place = (pair: string) => pair.split(' ').map((token) => ids.get(token) as number);
    const [best] = [...counts]
      .filter(([, count]) => count >= minFrequency)
      .sort(([a, countA], [b, countB]) => {
        const [p, q] = [place(a), place(b)] as [number[], number[]];
        return countB - countA || p[0]! - q[0]! || p[1]! - q[1]!;
      });
    if (!best) return merges;
    merges.push(best[0]);
    const [left, right] = best[0].split(' ') as [string, string];
    if (!ids.has(left + right)) ids.set(left + right, ids.size);
    words = words.map((word) => {
      const after: string[] = [];
      for (let i = 0; i < word.length; i++) {
        const isPair = word[i] === left && word[i + 1] === right;
        after.push(isPair ? left + right : (word[i] as string));
        if (isPair) i++;
      }
      return after;
    });
  }
}

describe('a byte-level vocabulary that is trained', () => {
  it('merges the most frequent pair first, and no rarer ones than asked for', () => {
    const { merges, vocab } = trained(TEXTS, { minFrequency: 3 });
    // `we` occurs 8 times, `lo` 7; then ` lo`, `es` and `st` 6, of which a space has the smallest byte.
    expect(merges.slice(0, 3)).toEqual(['w e', 'l o', 'Ġ lo']);
    expect(Object.keys(vocab)).toEqual(expect.arrayContaining(['Ġlow', 'Ġnewest', 'wider']));
    expect(Object.keys(vocab)).not.toContain('Ġlower');
    expect(vocab['<|endoftext|>']).toBe(0);
    expect(vocab['<|pad|>']).toBe(1);
    expect(Object.keys(vocab)).toHaveLength(2 + 256 + merges.length);
  });

  it('gives the merges of counting all pairs anew each time', () => {
    const text = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(text, (words) => {
        const joined = words.join(' ');
        expect(trained([joined]).merges).toEqual(countedAnew([joined], 2));
      }),
      { numRuns: 100 },
    );
  });

  it('is the same whatever the order of the texts, and has no more tokens than asked for', () => {
    const texts = Array.from({ length: 60 }, (_, i) =>
      `word${'abcdefg'[i % 7]} and ${'opqrstuvwxyz'.slice(i % 11)}`.repeat(3),
    );
    const { json } = trained(texts, { vocabulary: 300 });
    expect(trained(texts.toReversed(), { vocabulary: 300 }).json).toEqual(json);
    expect(Object.keys((json.model as { vocab: object }).vocab)).toHaveLength(300);
  });

  it('cuts words as GPT-2 does, at the spaces that Unicode has', () => {
    const { tokenizer } = trained(["I'll don't x-y 12ab  c\u0085d e\ufefff\n\n g"], { minFrequency: 1 });
    const tokens = (text: string) => tokenizer.encode(text).map((id) => tokenizer.token(id));
    expect(tokens("I'll don't")).toEqual(['I', "'ll", 'Ġdon', "'t"]);
    expect(tokens('x-y 12ab')).toEqual(['x', '-', 'y', 'Ġ12', 'ab']);
    expect(tokens('ab  c')).toEqual(['ab', 'Ġ', 'Ġc']);
    // U+0085 is a space, U+FEFF is none.
    expect(tokens('c\u0085d')).toEqual(['c', 'Âħ', 'd']);
    expect(tokens(' e\ufefff')).toEqual(['Ġe', 'ï»¿', 'f']);
    expect(tokens('\n\n g')).toEqual(['ĊĊ', 'Ġg']);
  });

  it('does not learn from special tokens', () => {
    const { merges, tokenizer } = trained(['<|im_start|><|endoftext|>'.repeat(20)], {
      special: ['<|im_start|>', '<|endoftext|>'],
    });
    expect(merges).toEqual([]);
    expect(tokenizer.encode('<|im_start|>a<|endoftext|>')).toEqual([2, 3 + 97, 0]);
  });

  it('learns from runs of letters of any length', () => {
    expect(trained(['ab'.repeat(2 ** 20)], { vocabulary: 270 }).merges.slice(0, 2)).toEqual(['a b', 'ab ab']);
  });
});

describe('texts that become tokens of a trained vocabulary', () => {
  const { json, config, tokenizer, library } = trained(['the quick brown fox, 狐 🦊 jumps! '.repeat(4)]);

  it('come back exactly: emoji, control characters, scripts, spaces before punctuation', () => {
    const decoded = (text: string) =>
      text === '' ? '' : library.decode(tokenizer.encode(text), { skip_special_tokens: false });
    for (const text of [
      "a . b , it 's\r\n\t",
      '\0\u0001\u007f\u0085\u00ad\u200b\ufeff\uffff',
      '👩‍👩‍👧‍👦🏳️‍🌈',
      'é é ﬁ',
    ])
      expect(decoded(text)).toBe(text);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        // Half a pair of UTF-16 has no bytes of UTF-8.
        expect(decoded(text)).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it('have an answer for bytes that are no text', () => {
    const half = tokenizer.encode('🦊').slice(0, 1);
    expect(library.decode([...half, ...tokenizer.encode('狐')])).toMatch(/^(🦊|\ufffd+)狐$/);
    expect([tokenizer.unknownId, tokenizer.padId, tokenizer.endIds]).toEqual([undefined, 1, []]);
    expect(tokenizer.warnings).toEqual([]);
  });

  it('are the same for transformers.js, from the files that ship', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'limbeck-bpe-'));
    try {
      for (const { name, bytes } of new Tokenizer(json, config).toShippedFiles(32))
        writeFileSync(join(folder, name), bytes);
      const read = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
      const text = 'the quick , brown  🦊\u0007 <|endoftext|>\n狐狸';
      expect(read.encode(text)).toEqual(tokenizer.encode(text));
      expect(read.decode(read.encode(text))).toBe(text);
      expect([read.eos_token, read.bos_token, read.pad_token]).toEqual([
        '<|endoftext|>',
        '<|endoftext|>',
        '<|pad|>',
      ]);
      const padded = read(['the', 'the quick'], { padding: true }).input_ids.tolist().flat().map(Number);
      expect(padded).toContain(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it('letters stand for all bytes, and none is a space', () => {
  expect(new Set(LETTER_OF_BYTE).size).toBe(256);
  expect(LETTER_OF_BYTE.join('')).not.toMatch(/\s/);
  expect([...BYTE_OF_LETTER].every(([letter, byte]) => LETTER_OF_BYTE[byte] === letter)).toBe(true);
  expect([LETTER_OF_BYTE[32], LETTER_OF_BYTE[10], LETTER_OF_BYTE[65]]).toEqual(['Ġ', 'Ċ', 'A']);
});
