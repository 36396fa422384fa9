import { describe, expect, it } from 'vitest';
import { findPaddingToken, type PaddingToken } from './padding-token.ts';

const pieces = (...texts: string[]) => ({
  idOf: (token: string) => (texts.includes(token) ? texts.indexOf(token) : undefined),
  textOf: (id: number) => texts[id],
});

const found = (...args: Parameters<typeof findPaddingToken>) => findPaddingToken(...args) as PaddingToken;

describe('the padding token', () => {
  it('is the named one, without a word', () => {
    expect(found({}, { pad_token: '<p>' }, pieces('a', '<p>', '[PAD]'))).toEqual({
      id: 1,
      text: '<p>',
      warnings: [],
    });
  });

  it('is the one that tokenizer.json pads with, where nothing else names one', () => {
    const json = { padding: { pad_token: '<p>', pad_id: 1 } };
    expect(found(json, {}, pieces('a', '<p>', '[PAD]'))).toEqual({ id: 1, text: '<p>', warnings: [] });
  });

  it.each([
    ['a usual name in the vocabulary', ['a', '</s>', '<pad>'], {}, '<pad>'],
    ['the end token', ['a', '<eot>', '<unk>'], { eos_token: '<eot>', unk_token: '<unk>' }, '<eot>'],
    ['a usual end token', ['a', '<|endoftext|>'], {}, '<|endoftext|>'],
    ['the unknown token', ['a', '<unk>'], { unk_token: '<unk>' }, '<unk>'],
    ['the first piece', ['a', 'b'], {}, 'a'],
  ])('is assumed to be %s, and that is said', (_what, texts, tokens, expected) => {
    const { id, text, warnings } = found({}, tokens, pieces(...texts));
    expect([text, id]).toEqual([expected, texts.indexOf(expected)]);
    expect(warnings).toEqual([expect.stringContaining(`${expected} is taken`)]);
  });

  it('is said to be another one in tokenizer.json, where it is', () => {
    const json = { padding: { pad_token: 'a', pad_id: 0 } };
    const { text, warnings } = found(json, { pad_token: '<p>' }, pieces('a', '<p>'));
    expect(text).toBe('<p>');
    expect(warnings).toEqual([expect.stringContaining('tokenizer.json pads with a (0)')]);
  });

  it.each([
    ['the configuration', {}, { pad_token: '<none>' }],
    ['tokenizer.json', { padding: { pad_token: '<none>', pad_id: 7 } }, {}],
  ])('is refused when %s names one that is not in the vocabulary', (_who, json, tokens) => {
    expect(findPaddingToken(json, tokens, pieces('a'))).toEqual({
      problem: 'the padding token <none> is not in the vocabulary',
    });
  });
});
