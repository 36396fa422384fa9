import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../onnx/tensor.ts';
import { emptyColumn } from '../../prepared/batch-columns.ts';
import { TextProcessor } from './text-processor.ts';
import { pairLengths } from './tokenizer/special-tokens.ts';
import { Tokenizer } from './tokenizer/tokenizer.ts';

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const vocab = Object.fromEntries([...SPECIAL, 'a', 'b', 'c', 'd', 'e'].map((piece, id) => [piece, id]));
const special = (id: string, type = 0) => ({ SpecialToken: { id, type_id: type } });
const [a, b] = [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }];
const template = {
  type: 'TemplateProcessing',
  single: [special('[CLS]'), a, special('[SEP]')],
  pair: [special('[CLS]'), a, special('[SEP]'), b, special('[SEP]', 1)],
  special_tokens: {
    '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
    '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
  },
};

function tokenizer(post_processor: object | null = template, config: object = {}): Tokenizer {
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
    },
    { pad_token: '[PAD]', unk_token: '[UNK]', ...config },
  );
}

describe('a pair of texts', () => {
  it('is framed by the template, with the types of its parts', () => {
    expect(tokenizer().encodePair('a b', 'c')).toEqual({
      ids: [2, 4, 5, 3, 6, 3],
      types: [0, 0, 0, 0, 1, 1],
      whole: 6,
    });
    expect(tokenizer(null).encodePair('a b', 'c')).toEqual({ ids: [4, 5, 6], types: [0, 0, 0], whole: 3 });
    expect([tokenizer().hasPairTypes, tokenizer(null).hasPairTypes]).toEqual([true, false]);
  });

  it('loses the end of the longer text first, or its beginning', () => {
    const cut = tokenizer().encodePair('a b c d e', 'a b', 7);
    expect(cut.ids).toEqual([2, 4, 5, 3, 4, 5, 3]);
    expect([cut.types, cut.whole]).toEqual([[0, 0, 0, 0, 1, 1, 1], 10]);
    const fromStart = tokenizer(template, { truncation_side: 'left' }).encodePair('a b c d e', 'a b', 7);
    expect(fromStart.ids).toEqual([2, 7, 8, 3, 4, 5, 3]);
  });

  // What truncation `longest_first` of transformers' fast tokenizers leaves.
  it.each([
    [5, 2, 10, [5, 2]],
    [5, 2, 4, [2, 2]],
    [5, 2, 6, [4, 2]],
    [2, 5, 6, [2, 4]],
    [9, 9, 5, [2, 3]],
    [9, 8, 5, [3, 2]],
    [9, 1, 4, [3, 1]],
    [3, 3, 0, [0, 0]],
    [4, 4, 7, [3, 4]],
    [8, 4, 7, [4, 3]],
    [0, 8, 7, [0, 7]],
  ] as const)('of %i and %i tokens where %i fit', (first, second, most, kept) => {
    expect(pairLengths(first, second, most)).toEqual(kept);
  });

  it('has a column of types, and lies on disk with them', () => {
    const processor = new TextProcessor({ tokenizer: tokenizer(), fields: ['q', 'p'], buckets: [4, 8] });
    expect(processor.columns.map(({ name }) => name)).toEqual([
      'input_ids',
      'attention_mask',
      'token_type_ids',
    ]);
    const encoded = processor.encode(['a b', 'x']);
    expect([encoded.length, encoded.facts?.unknown]).toEqual([6, 1]);
    expect(encoded.bytes.length).toBeLessThanOrEqual(processor.bytesFor(8));
    const columns: Record<string, Tensor> = Object.fromEntries(
      processor.columns.map((spec) => [spec.name, emptyColumn(spec, [2, 8])]),
    );
    processor.decode(encoded.bytes, columns, 1, { batch: 2, sequence: 8 });
    const row = (name: string) => Array.from(columns[name]?.data as BigInt64Array, Number).slice(8);
    expect(row('input_ids')).toEqual([2, 4, 5, 3, 1, 3, 0, 0]);
    expect(row('attention_mask')).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
    expect(row('token_type_ids')).toEqual([0, 0, 0, 0, 1, 1, 0, 0]);
    const shown = new TextEncoder().encode(encoded.shown as string);
    expect(processor.example(encoded.bytes, shown)).toEqual({ text: 'a b | x' });
  });

  it('of which a side is missing is broken, and says which', () => {
    const processor = new TextProcessor({ tokenizer: tokenizer(), fields: ['q', 'p'], buckets: [8] });
    expect(() => processor.encode(['a', null])).toThrow("'p' is null, not text");
    expect(() => processor.encode(['', 'a'])).toThrow("'q' is empty");
  });
});
