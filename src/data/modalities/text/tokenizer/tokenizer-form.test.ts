import { expect, it } from 'vitest';
import type { LimbeckError } from '../../../../errors.ts';
import { parseTokenizer } from './tokenizer.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const wordPiece = {
  added_tokens: [{ id: 0, content: '[PAD]', special: true, normalized: false }],
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] } as object,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, cat: 4, '##s': 5 },
  } as object,
};
const pairs = {
  added_tokens: [],
  model: { type: 'BPE', unk_token: 'a', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] } as object,
};
const added = (token: object) => ({ ...wordPiece, added_tokens: [token] });
const model = (more: object) => ({ ...wordPiece, model: { ...wordPiece.model, ...more } });
const framed = (post_processor: object) => ({ ...wordPiece, post_processor });
const template = (single: object[]) => framed({ type: 'TemplateProcessing', single, special_tokens: {} });
const text = { Sequence: { id: 'A', type_id: 0 } };

it.each([
  [
    'an id that no table has room for',
    added({ id: 2 ** 31, content: '<x>' }),
    /'?"<x>", has the id 2147483648/,
  ],
  ['an id below 0', added({ id: -1, content: '<x>' }), /has the id -1/],
  ['an id between two', added({ id: 5.5, content: '<x>' }), /has the id 5\.5/],
  ['an id as text', added({ id: '12', content: '<x>' }), /has the id "12"/],
  ['an added token without an id', added({ content: '<x>' }), /has the id nothing/],
  ['an added token without a text', added({ id: 9 }), /added_tokens\[0\] has no text/],
  ['added tokens that are no list', { ...wordPiece, added_tokens: { a: 1 } }, /added_tokens is not a list/],
  ['a piece without an id', model({ vocab: { '[UNK]': 1, cat: null } }), /null as the id of "cat"/],
  ['no token for unknown words', model({ unk_token: null }), /needs a token for what it does not know/],
  ['an unknown token that is not there', model({ unk_token: '<nope>' }), /<nope>, is not in the vocabulary/],
  [
    'a frame that is not there',
    framed({ type: 'BertProcessing', sep: ['[X]', 1], cls: ['[Y]', 0] }),
    /\[Y\] around/,
  ],
  [
    'half a frame',
    framed({ type: 'RobertaProcessing', sep: 'x' }),
    /post_processor\.sep is not \[token, id\]/,
  ],
  ['a template with the text twice', template([text, text]), /has the text 2 times/],
  ['a template without the text', template([]), /has the text 0 times/],
  ['a split at nothing', { ...wordPiece, pre_tokenizer: { type: 'Split' } }, /\(Split\) has no pattern/],
  [
    'merges of two forms',
    { ...pairs, model: { ...pairs.model, merges: ['a b', ['a', 'b']] } },
    /merges\[1\]/,
  ],
  ['merges of three', { ...pairs, model: { ...pairs.model, merges: ['a b c'] } }, /"a b c", not two pieces/],
  ['no merges', { ...pairs, model: { ...pairs.model, merges: null } }, /model\.merges is not a list/],
])('refuses %s in words', (_, json, message) => {
  const refused = () => {
    try {
      parseTokenizer(bytes(json), bytes({}), 'tokenizer.json');
    } catch (error) {
      return error as LimbeckError;
    }
    return undefined;
  };
  expect(refused()?.code).toBe('tokenizer.invalid');
  expect(refused()?.message).toMatch(message);
});

it('refuses steps within steps without an end, and special tokens that are no list', () => {
  const deep = `${'{"type":"Sequence","pretokenizers":['.repeat(20_000)}${']}'.repeat(20_000)}`;
  const json = JSON.stringify({ ...wordPiece, pre_tokenizer: 0 }).replace(
    '"pre_tokenizer":0',
    `"pre_tokenizer":${deep}`,
  );
  const read = (file: string, config: object) =>
    parseTokenizer(new TextEncoder().encode(file), bytes(config), 'tokenizer.json');
  expect(() => read(json, {})).toThrow(/nested more than 16 deep/);
  expect(() => read(JSON.stringify(wordPiece), { additional_special_tokens: 'x' })).toThrow(/is not a list/);
});

it('leaves byte pairs alone whose unknown token is a name only', () => {
  const byteLevel = {
    ...pairs,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    model: { ...pairs.model, unk_token: '' },
  };
  expect(parseTokenizer(bytes(byteLevel), bytes({}), 'tokenizer.json').encode('ab')).toEqual([2]);
});
