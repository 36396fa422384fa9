import { describe, expect, it } from 'vitest';
import { cutTokens } from './special-tokens.ts';
import { Tokenizer } from './tokenizer.ts';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const vocab = Object.fromEntries([...SPECIAL, 'a', 'b', 'c', 'd', 'e'].map((piece, id) => [piece, id]));
const special = (id: string, type = 0) => ({ SpecialToken: { id, type_id: type } });
const [a, b] = [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }];
const ids = { special_tokens: {} };

const bert = { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] };
const roberta = { ...bert, type: 'RobertaProcessing', trim_offsets: true, add_prefix_space: false };
const template = {
  type: 'TemplateProcessing',
  single: [special('[CLS]'), a, special('[SEP]')],
  pair: [special('[CLS]'), a, special('[SEP]'), b, special('[SEP]', 1)],
  ...ids,
};
const endOnly = { type: 'TemplateProcessing', single: [a, special('[SEP]')], pair: [a, b], ...ids };
const startOnly = { type: 'TemplateProcessing', single: [special('[CLS]'), a], pair: [a, b], ...ids };
const twoAtTheEnd = {
  type: 'TemplateProcessing',
  single: [a, special('[SEP]'), special('[CLS]')],
  pair: [a, b],
  ...ids,
};
const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };
const sequence = { type: 'Sequence', processors: [byteLevel, startOnly] };

function tokenizer(post_processor: object | null, config: object = {}, json: object = {}): Tokenizer {
  const added_tokens = SPECIAL.map((content, id) => ({ id, content, special: true, normalized: false }));
  return new Tokenizer(
    {
      version: '1.0',
      added_tokens,
      normalizer: { type: 'BertNormalizer', lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor,
      decoder: { type: 'WordPiece', prefix: '##' },
      model: { type: 'WordPiece', unk_token: '[UNK]', max_input_chars_per_word: 100, vocab },
      ...json,
    },
    { pad_token: '[PAD]', unk_token: '[UNK]', ...config },
  );
}

describe('a text that is too long', () => {
  // What `tokenizer(text, truncation=True, max_length=4)` of transformers gives for each.
  it.each<[string, object | null, number[]]>([
    ['BertProcessing', bert, [2, 4, 5, 3]],
    ['RobertaProcessing', roberta, [2, 4, 5, 3]],
    ['a template', template, [2, 4, 5, 3]],
    ['an end token alone, as T5 has it', endOnly, [4, 5, 6, 3]],
    ['a start token alone', startOnly, [2, 4, 5, 6]],
    ['two tokens at the end', twoAtTheEnd, [4, 5, 3, 2]],
    ['processors one after another', sequence, [2, 4, 5, 6]],
    ['no post-processor', null, [4, 5, 6, 7]],
  ])('keeps its special tokens: %s', (_, processor, expected) => {
    const made = tokenizer(processor);
    expect(made.encode('a b c d e', 4)).toEqual(expected);
    expect(made.cut(made.encode('a b c d e'), 4)).toEqual(expected);
    expect(made.encode('a', 4)).toEqual(made.encode('a'));
  });

  it.each<[string, object, object]>([
    ['tokenizer_config.json', { truncation_side: 'left' }, {}],
    ['tokenizer.json', {}, { truncation: { direction: 'Left', max_length: 4, stride: 0 } }],
    [
      'both, of which the configuration counts',
      { truncation_side: 'left' },
      { truncation: { direction: 'Right' } },
    ],
  ])('loses its start where %s says so', (_, config, json) => {
    expect(tokenizer(template, config, json).encode('a b c d e', 4)).toEqual([2, 7, 8, 3]);
    expect(tokenizer(null, config, json).encode('a b c d e', 2)).toEqual([7, 8]);
  });

  it('is no longer than asked for where there is no room for its special tokens', () => {
    expect(tokenizer(template).encode('a b', 1)).toEqual([2]);
    expect(tokenizer(template).encode('a b', 2)).toEqual([2, 3]);
  });

  it('may hold special tokens of its own', () => {
    expect(tokenizer(template).encode('a [SEP] b c', 5)).toEqual([2, 4, 3, 5, 3]);
    const frame = { before: 0, after: 0, truncationSide: 'right', paddingSide: 'right' } as const;
    expect(cutTokens([1, 2, 3], 3, frame)).toEqual([1, 2, 3]);
  });
});

describe('the padding', () => {
  it.each<[string, object, object, string]>([
    ['nothing', {}, {}, 'right'],
    ['tokenizer_config.json', { padding_side: 'left' }, {}, 'left'],
    ['tokenizer.json', {}, { padding: { direction: 'Left', pad_token: '[PAD]', pad_id: 0 } }, 'left'],
    ['both', { padding_side: 'right' }, { padding: { direction: 'Left' } }, 'right'],
  ])('is where %s says', (_, config, json, side) => {
    expect(tokenizer(template, config, json).frame.paddingSide).toBe(side);
  });
});
