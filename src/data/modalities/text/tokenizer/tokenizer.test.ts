import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../../../../errors.ts';
import { parseTokenizer, Tokenizer } from './tokenizer.ts';
import { tokenizerFromVocabulary } from './use-lite-tokenizer.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const small = () =>
  tokenizerFromVocabulary([
    ['<unk>', 0],
    ['<s>', 0],
    ['</s>', 0],
    ['<pad>', 0],
    ['<4>', 0],
    ['<5>', 0],
    ['▁', -2],
    ['a', -3],
    ['b', -3.5],
    ['aa', -4.1],
    ['aba', -5.3],
    ['▁ab', -4.4],
    ['😀', -6],
    ['a😀', -7.7],
    [':', null],
  ]);

const wordPiece = {
  version: '1.0',
  added_tokens: [
    { id: 0, content: '[PAD]', special: true, normalized: false },
    { id: 2, content: '[CLS]', special: true, normalized: false },
    { id: 3, content: '[SEP]', special: true, normalized: false },
  ],
  normalizer: { type: 'BertNormalizer', lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
  decoder: { type: 'WordPiece', prefix: '##' },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, cat: 4, '##s': 5, dog: 6 },
  },
};

const withModel = (model: object, added_tokens: object[] = wordPiece.added_tokens) =>
  JSON.stringify({ ...wordPiece, added_tokens, model });

describe('Tokenizer', () => {
  it('agrees with the library on any text, repeated characters and unknown ones included', () => {
    const tokenizer = small();
    const piece = fc.constantFrom('a', 'b', 'aa', ' ', '  ', '😀', 'x', '語', ':', '▁', '<s>', '\ud800');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        expect(tokenizer.encode(text)).toEqual(tokenizer.encodeByLibrary(text));
      }),
      { numRuns: 500 },
    );
  });

  it('makes one token of consecutive unknown characters', () => {
    const tokenizer = small();
    expect(tokenizer.encode('xyz語')).toEqual([6, 0]);
    expect(tokenizer.encode('xaz')).toEqual([6, 0, 7, 0]);
  });

  it('cuts to the length asked for', () => {
    expect(small().encode('b b b', 3)).toEqual(small().encode('b b b').slice(0, 3));
    expect(small().encode('b'.repeat(500_000), 4)).toHaveLength(4);
    expect(small().encode('', 4)).toEqual([]);
  });

  it('hashes what the files say, not how they are written', () => {
    const [json, config] = small().toFiles();
    const again = parseTokenizer(json!.bytes, config!.bytes, 'here');
    const reordered = JSON.parse(new TextDecoder().decode(json!.bytes));
    const swapped = Object.fromEntries(Object.entries(reordered).reverse());
    expect(again.hash).toBe(small().hash);
    expect(parseTokenizer(bytes(JSON.stringify(swapped, null, 2)), config!.bytes, 'here').hash).toBe(
      again.hash,
    );
    reordered.model.vocab[7][1] = -3.25;
    expect(parseTokenizer(bytes(JSON.stringify(reordered)), config!.bytes, 'here').hash).not.toBe(again.hash);
  });

  it('runs other kinds of tokenizer.json by the library', () => {
    const config = { pad_token: '[PAD]', unk_token: { content: '[UNK]' } };
    const tokenizer = new Tokenizer(wordPiece, config);
    expect(tokenizer.encode('Cats dog bird')).toEqual([2, 4, 5, 6, 1, 3]);
    expect([tokenizer.vocabularySize, tokenizer.padId, tokenizer.unkId]).toEqual([7, 0, 1]);
  });

  it.each([
    ['JSON cut short', '{', '{}', /tokenizer.json is not JSON/],
    ['a list', '[]', '{}', /tokenizer.json is not a JSON object/],
    ['an object without a model', '{}', '{}', /no model.vocab/],
    [
      'a piece without a score',
      withModel({ type: 'Unigram', unk_id: 0, vocab: [['a']] }),
      '{}',
      /vocab\[0\]/,
    ],
    [
      'an unknown token out of range',
      withModel({ type: 'Unigram', unk_id: 9, vocab: [['a', 0]] }),
      '{}',
      /9/,
    ],
    ['no vocabulary', withModel({ type: 'WordPiece', vocab: 3 }), '{}', /no model.vocab/],
    ['an empty vocabulary', withModel({ type: 'WordPiece', vocab: {} }, []), '{}', /vocabulary is empty/],
    [
      'a strange normaliser',
      JSON.stringify({ ...wordPiece, normalizer: { type: 'X' } }),
      '{}',
      /cannot be read/,
    ],
    [
      'padding that is no token',
      JSON.stringify(wordPiece),
      '{"pad_token":"[NONE]"}',
      /padding token \[NONE\]/,
    ],
  ])('refuses %s', (_what, json, config, message) => {
    const read = () => parseTokenizer(bytes(json), bytes(config), 'model/tokenizer.json');
    expect(read).toThrow(message);
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(LimbeckError);
      expect((error as LimbeckError).code).toBe('tokenizer.invalid');
      expect((error as LimbeckError).where).toBe('model/tokenizer.json');
    }
  });
});

describe('the regular expressions of a tokenizer', () => {
  const config = { unk_token: '[UNK]', pad_token: '[PAD]' };
  const split = (Regex: string) => ({
    ...wordPiece,
    pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
  });
  const text = `${'a'.repeat(40)} b`;

  it('are given up when they do not come to an end, with the text that they stopped at', () => {
    const tokenizer = new Tokenizer(split('(a+)+c'), config, 'foreign/tokenizer.json', {}, 0.2);
    for (const encode of [() => tokenizer.encode(text), () => tokenizer.encodeByLibrary(text)]) {
      expect(encode).toThrow(
        expect.objectContaining({
          code: 'tokenizer.too-slow',
          where: expect.stringMatching(/foreign\/tokenizer\.json.*aaaa/),
        }),
      );
    }
    expect(tokenizer.encode('a b')).toHaveLength(tokenizer.encodeByLibrary('a b').length);
  });

  it('change nothing where they end', () => {
    const [slow, fast] = ['(?:\\s)+', '\\s+'].map((pattern) => new Tokenizer(split(pattern), config));
    for (const one of ['a b', text, 'a '.repeat(2000)]) expect(slow?.encode(one)).toEqual(fast?.encode(one));
  });
});

it('has the chat template of its configuration, or of the file for it, which counts before', () => {
  const { tokenizer } = { tokenizer: { model: { type: 'WordLevel', unk_token: 'a', vocab: { a: 0 } } } };
  const read = (config: object, file?: string) =>
    parseTokenizer(
      bytes(JSON.stringify(tokenizer)),
      bytes(JSON.stringify({ bos_token: 'a', ...config })),
      'here',
      undefined,
      file === undefined ? undefined : bytes(file),
    ).chatTemplate;
  expect(read({})).toBeUndefined();
  const named = [
    { name: 'tool_use', template: 'x' },
    { name: 'default', template: 'y' },
  ];
  expect(read({ chat_template: named })).toMatchObject({ template: 'y', tokens: { bos_token: 'a' } });
  expect(read({ chat_template: named }, 'z')?.template).toBe('z');
});
