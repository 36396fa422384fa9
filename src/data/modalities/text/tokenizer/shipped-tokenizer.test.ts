import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoTokenizer, type PreTrainedTokenizer, type Tensor } from '@huggingface/transformers';
import { afterAll, describe, expect, it } from 'vitest';
import { Tokenizer } from './tokenizer.ts';

const place = mkdtempSync(join(tmpdir(), 'limbeck-tokenizer-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const PIECES = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, cat: 4, dog: 5, '</s>': 6 };
const special = (content: string, id: number) => ({ id, content, special: true, normalized: false });

function json(more: object = {}, vocab: Record<string, number> = PIECES): Record<string, unknown> {
  return {
    version: '1.0',
    added_tokens: [special('[CLS]', 2), special('[SEP]', 3)],
    normalizer: { type: 'BertNormalizer', lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', vocab },
    ...more,
  };
}

/** What transformers.js makes of the files that ship. */
async function readByTransformers(tokenizer: Tokenizer): Promise<PreTrainedTokenizer> {
  const folder = mkdtempSync(join(place, 'student-'));
  for (const { name, bytes } of tokenizer.toShippedFiles(4)) writeFileSync(join(folder, name), bytes);
  return AutoTokenizer.from_pretrained(folder, { local_files_only: true });
}

const withoutPad = Object.fromEntries(Object.entries(PIECES).filter(([piece]) => piece !== '[PAD]'));
const object = (content: string) => ({ content, lstrip: false, rstrip: false, single_word: false });

/** [what, tokenizer.json, tokenizer_config.json, special_tokens_map.json, the id that pads] */
const CASES: [string, object, object, object, number][] = [
  ['no configuration, [PAD] in the vocabulary', json(), {}, {}, 0],
  ['an old configuration without a class', json(), { do_lower_case: true, model_max_length: 512 }, {}, 0],
  ['the tokens in special_tokens_map.json', json(), { do_lower_case: true }, { pad_token: '</s>' }, 6],
  ['tokens as objects', json(), { tokenizer_class: 'BertTokenizer', pad_token: object('[PAD]') }, {}, 0],
  [
    'tokens as objects that say their type',
    json(),
    { pad_token: { __type: 'AddedToken', ...object('[PAD]') }, cls_token: object('[CLS]') },
    {},
    0,
  ],
  ['padding in tokenizer.json', json({ padding: { pad_token: '</s>', pad_id: 6 } }), {}, {}, 6],
  ['an end token alone', json({}, withoutPad), { eos_token: object('</s>') }, {}, 6],
  ['a class that pads on the left', json(), { tokenizer_class: 'LlamaTokenizer' }, {}, 0],
  ['padding on the left', json(), { padding_side: 'left', pad_token: '[PAD]' }, {}, 0],
];

describe('the shipped files of a tokenizer', () => {
  it.each(CASES)('pad a batch in transformers.js: %s', async (_what, file, config, map, pad) => {
    const tokenizer = new Tokenizer({ ...file }, { ...config }, 'here', { ...map });
    expect(tokenizer.padId).toBe(pad);
    const read = await readByTransformers(tokenizer);
    const { input_ids, attention_mask } = read(['cat dog cat dog', 'cat'], {
      padding: true,
      truncation: true,
    });
    expect(numbers(input_ids)).toEqual([2, 4, 5, 4, 2, 4, 3, pad]);
    expect(numbers(attention_mask)).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
  });

  it('are read where sections are absent that the library asks for', () => {
    const { model } = json();
    expect(new Tokenizer({ model }, {}).encode('cat')).toEqual([4]);
  });

  it('tell the unknown token of whole words, which is only in tokenizer.json or the map', async () => {
    const words = json({ model: { type: 'WordLevel', unk_token: '[UNK]', vocab: PIECES } });
    const tokenizer = new Tokenizer(words, {});
    expect(tokenizer.encode('cat 🦊')).toEqual([2, 4, 1, 3]);
    expect(numbers((await readByTransformers(tokenizer))('cat 🦊').input_ids)).toEqual([2, 4, 1, 3]);
  });

  it('say nothing of the folders and programs of whoever made the tokenizer', () => {
    const config = {
      name_or_path: '/home/me/model',
      auto_map: { AutoTokenizer: 'x.py' },
      remove_space: true,
    };
    const [, shipped] = new Tokenizer(json(), config).toShippedFiles(4);
    const text = new TextDecoder().decode(shipped!.bytes);
    expect(text).not.toMatch(/home|auto_map/);
    expect(JSON.parse(text)).toMatchObject({ remove_space: true, model_max_length: 4 });
  });

  it('have no length of their own', () => {
    const own = json({
      truncation: { max_length: 16 },
      padding: { strategy: { Fixed: 16 }, pad_token: '[PAD]' },
    });
    const [file] = new Tokenizer(own, {}).toShippedFiles(4);
    expect(JSON.parse(new TextDecoder().decode(file!.bytes))).toMatchObject({
      truncation: null,
      padding: null,
    });
  });
});

function numbers(ids: unknown): number[] {
  return Array.from((ids as Tensor).data as BigInt64Array, Number);
}
