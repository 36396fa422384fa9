import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tokenizer } from './tokenizer.ts';
import { trainBpe } from './train-bpe.ts';

const { json } = trainBpe(["the quick brown fox isn't 12 years old. ".repeat(3), '狐狸 🦊 ab  c\n\n\td'], {
  vocabulary: 400,
  minFrequency: 2,
  special: ['<|im_start|>', '<|im_end|>', '<|im', '|>|>'],
});

const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const start = { SpecialToken: { id: '<|im_start|>', type_id: 0 } };
const end = { SpecialToken: { id: '<|im_end|>', type_id: 0 } };
const text = { Sequence: { id: 'A', type_id: 0 } };
const LLAMA =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** What differs from the tokenizer that is learnt here. */
const KINDS: [string, object][] = [
  ['a vocabulary that is learnt here', {}],
  ['GPT-2', { pre_tokenizer: byteLevel }],
  [
    'SmolLM, with digits one by one',
    { pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel) },
  ],
  ['Llama 3', { pre_tokenizer: sequence(split(LLAMA), { ...byteLevel, use_regex: false }) }],
  [
    'a space before a text, which is left to the library',
    { pre_tokenizer: { ...byteLevel, add_prefix_space: true } },
  ],
  [
    'tokens that take spaces, which are left to the library',
    {
      added_tokens: [{ id: 0, content: '<|im_end|>', special: true, lstrip: true, rstrip: true }],
    },
  ],
  [
    'tokens around a text',
    {
      post_processor: {
        type: 'TemplateProcessing',
        single: [start, text, end],
        pair: [text, text],
        special_tokens: {},
      },
    },
  ],
  ['whole words before merges', { model: { ...(json.model as object), ignore_merges: true } }],
];

describe('the ids of byte-level tokenizers are those of the library', () => {
  it.each(KINDS)('%s', (_, parts) => {
    const tokenizer = new Tokenizer({ ...json, ...parts }, {});
    const part = fc.oneof(
      fc.constantFrom(
        '<|im_start|>',
        '<|im_end|>',
        '<|im',
        '|>|>',
        '|>',
        "'ll",
        ' the',
        'fox',
        '  ',
        '\n',
        '1234',
        '\u0085',
        '\ufeff',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const whole = parts.join('');
        const ids = tokenizer.encodeByLibrary(whole);
        expect(tokenizer.encode(whole)).toEqual(ids);
        // Now from what was kept.
        expect(tokenizer.encode(whole)).toEqual(ids);
      }),
      { numRuns: 40 },
    );
  });
});

it('takes as long for many added tokens as for few', () => {
  const first = (json.added_tokens as unknown[]).length + 1000;
  const many = Array.from({ length: 50_000 }, (_, i) => ({
    id: first + i,
    content: `<extra_${i}>`,
    special: true,
  }));
  const tokenizer = new Tokenizer({ ...json, added_tokens: many }, {});
  const before = process.cpuUsage();
  const ends = Array.from({ length: 60 }, (_, i) => tokenizer.encode(`the <brown> fox <extra_${i}>`).at(-1));
  // A regular expression of all of them is compiled anew for each text: 3 seconds.
  expect(process.cpuUsage(before).user).toBeLessThan(1e6);
  expect(ends).toEqual(ends.map((_, i) => first + i));
});
