import { describe, expect, it } from 'vitest';
import { byteTokenizer } from './testing/byte-tokenizer.ts';
import { stopTest, TextStream } from './text-stream.ts';

const tokenizer = byteTokenizer();

function pieces(ids: readonly number[], prompt: string, stops: readonly string[] = []): string[] {
  const stream = new TextStream(tokenizer, tokenizer.encode(prompt), stops);
  return [...ids.map((id) => stream.push(id)), stream.end()];
}

describe('a stream of text', () => {
  it.each(['the end', 'naïve café 🦊 日本 x', ' the', 'a\u{1F600}'])(
    'has %j, in whole characters',
    (text) => {
      const found = pieces(tokenizer.encode(text), 'the');
      expect(found.join('')).toBe(text);
      for (const piece of found) expect(piece).not.toContain('\ufffd');
    },
  );

  it('has what is no character as the decoder writes it', () => {
    // Ids below 256 are bytes. A long run of bytes that continue nothing, an euro sign, and the beginning of another one.
    const euro = [...new TextEncoder().encode('€')];
    const ids = [...new Array(40).fill(0x80), 0x20, ...euro, ...euro.slice(0, 2)];
    expect(pieces(ids, '').join('')).toBe(tokenizer.decode(ids));
    expect(tokenizer.decode(ids)).toMatch(/^\ufffd{40} €\ufffd$/);
  });

  it('leaves out the token that ends a text', () => {
    expect(pieces([...tokenizer.encode('the'), ...tokenizer.endOfText], 'a').join('')).toBe('the');
  });

  it('holds back what may be a stop, and ends before it', () => {
    const ids = tokenizer.encode('a\nb\n\nc');
    expect(pieces(ids, '', ['\n\n'])).toEqual(['a', '', '\nb', '', '', '', '']);
    expect(pieces(ids, '', ['xyz', 'c!']).join('')).toBe('a\nb\n\nc');
  });
});

it('knows a stop that ends within a token, and none before', () => {
  const isStopped = stopTest(tokenizer, ['e t', '日']);
  const ids = tokenizer.encode('one the');
  expect(tokenizer.token(ids.at(-1) as number)).toBe('Ġthe');
  expect(isStopped(ids)).toBe(true);
  expect(isStopped(ids.slice(0, -1))).toBe(false);
  const japanese = tokenizer.encode('a日');
  expect(isStopped(japanese.slice(0, -1))).toBe(false);
  expect(isStopped(japanese)).toBe(true);
});
