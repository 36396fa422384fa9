import { describe, expect, it } from 'vitest';
import { Tokenizer } from './tokenizer.ts';
import { trainWordPiece } from './train-wordpiece.ts';

const texts = ['Low lower lowest', 'low newer newest wider', 'new new low, low!'];

function trained(vocabulary: number, more: object = {}) {
  const { json, config } = trainWordPiece(texts, { vocabulary, lowercase: true, minFrequency: 2, ...more });
  return {
    vocab: (json.model as { vocab: Record<string, number> }).vocab,
    tokenizer: new Tokenizer(json, config),
  };
}

describe('a vocabulary that is trained', () => {
  it('joins the most frequent neighbours first, from the characters on', () => {
    const { vocab } = trained(100);
    const pieces = Object.keys(vocab);
    expect(pieces.slice(0, 4)).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]']);
    // `lo` and `low` occur 6 times, `ne` 4 times.
    expect(pieces.indexOf('low')).toBeLessThan(pieces.indexOf('new'));
    for (const piece of ['##o', 'low', 'new', '##est', ',']) expect(pieces).toContain(piece);
    expect(Object.values(vocab)).toEqual(pieces.map((_, id) => id));
    // Once is not often enough to be joined.
    for (const piece of ['wider', 'lowest']) expect(pieces).not.toContain(piece);
  });

  it('is read by transformers as what it is: longest pieces first, special tokens around', () => {
    const { tokenizer } = trained(100);
    const tokens = (text: string) => tokenizer.encode(text).map((id) => tokenizer.token(id));
    expect(tokens('LOW newest')).toEqual(['[CLS]', 'low', 'new', '##est', '[SEP]']);
    expect(tokens('lowe 7')).toEqual(['[CLS]', 'low', '##e', '[UNK]', '[SEP]']);
    expect([tokenizer.padId, tokenizer.unkId]).toEqual([0, 1]);
  });

  it('has no more pieces than were asked for, and is the same again', () => {
    expect(Object.keys(trained(24).vocab)).toHaveLength(24);
    expect(trained(40).vocab).toEqual(trained(40).vocab);
    expect(Object.keys(trained(100, { lowercase: false }).vocab)).toContain('L');
  });
});
