import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { tokenOffsets } from './token-offsets.ts';

/** BERT's kind of tokenizer over a few words. */
function wordPiece(): Tokenizer {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'paris', 'is', 'a', '##ris', 'cafe', ',', 'pa', '##s'];
  const special = (id: number) => ({
    id,
    content: words[id],
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  });
  return new Tokenizer(
    {
      added_tokens: [0, 1, 2, 3].map(special),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: '[CLS]', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
          { SpecialToken: { id: '[SEP]', type_id: 0 } },
        ],
        pair: [],
        special_tokens: {
          '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
          '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
        },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      },
    },
    {
      tokenizer_class: 'BertTokenizer',
      unk_token: '[UNK]',
      pad_token: '[PAD]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
    },
  );
}

describe('token offsets', () => {
  it('point at the text that each token was made of, whatever its case and its accents', () => {
    const tokenizer = wordPiece();
    const text = 'PARIS  is,a Café';
    const ids = tokenizer.encode(text);
    const parts = tokenOffsets(tokenizer, text, ids).map((offset) => offset && text.slice(...offset));
    expect(parts).toEqual([undefined, 'PARIS', 'is', ',', 'a', 'Café', undefined]);
  });

  it('give unknown words what lies between their neighbours', () => {
    const tokenizer = wordPiece();
    const text = 'zzz is qqq, paris';
    const parts = tokenOffsets(tokenizer, text, tokenizer.encode(text)).map((o) => o && text.slice(...o));
    expect(parts).toEqual([undefined, 'zzz', 'is', 'qqq', ',', 'paris', undefined]);
  });

  it('hold for pieces of a sentence-piece vocabulary', async () => {
    const tokenizer = await useLiteTokenizer();
    const text = 'An unfathomable Thing: 3.14 in Zürich';
    const offsets = tokenOffsets(tokenizer, text, tokenizer.encode(text));
    // All of the text but its spaces, in order.
    expect(offsets.map((offset) => offset && text.slice(...offset).trim()).join('')).toBe(
      text.replaceAll(' ', ''),
    );
  });
});
