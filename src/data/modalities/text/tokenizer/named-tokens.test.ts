import { expect, it } from 'vitest';
import { namedTokens } from './named-tokens.ts';

it('reads special tokens as text and as objects, with __type or without', () => {
  const { tokens, warnings } = namedTokens({
    unk_token: '[UNK]',
    pad_token: { content: '[PAD]', lstrip: false },
    sep_token: { __type: 'AddedToken', content: '[SEP]' },
    mask_token: null,
    cls_token: { lstrip: false },
  });
  expect(tokens).toEqual({ unk_token: '[UNK]', pad_token: '[PAD]', sep_token: '[SEP]' });
  expect(warnings).toEqual([]);
});

it('takes what the configuration does not name from special_tokens_map.json', () => {
  const map = { pad_token: '<pad>', eos_token: { content: '</s>' } };
  expect(namedTokens({ do_lower_case: true }, map).tokens).toEqual({ pad_token: '<pad>', eos_token: '</s>' });
});

it('says where the two files disagree, and takes the configuration', () => {
  const { tokens, warnings } = namedTokens({ pad_token: '[PAD]' }, { pad_token: { content: '<pad>' } });
  expect(tokens.pad_token).toBe('[PAD]');
  expect(warnings).toEqual([expect.stringMatching(/\[PAD\] as pad_token, special_tokens_map.json <pad>/)]);
});
