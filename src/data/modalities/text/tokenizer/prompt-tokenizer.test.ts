import { describe, expect, it } from 'vitest';
import { byteTokenizer } from '../../../../generate/testing/byte-tokenizer.ts';
import { parseTokenizer, Tokenizer } from './tokenizer.ts';
import { trainWordPiece } from './train-wordpiece.ts';

/** The tokenizer of the files that ship with a language model. */
function shipped(tokenizer: Tokenizer): { tokenizer: Tokenizer; config: Record<string, unknown> } {
  const [json, config] = tokenizer.toPromptFiles(32).map(({ bytes }) => bytes) as [Uint8Array, Uint8Array];
  return {
    tokenizer: parseTokenizer(json, config, 'shipped'),
    config: JSON.parse(new TextDecoder().decode(config)) as Record<string, unknown>,
  };
}

describe('a prompt', () => {
  const texts = ['a cat sat on a mat', 'a hat on a cat'];
  const { json, config } = trainWordPiece(texts, { vocabulary: 60, lowercase: true, minFrequency: 1 });
  const bert = new Tokenizer(json, config);

  it('begins as a text does and is left open at its end', () => {
    const ids = bert.encode('a cat');
    expect(bert.promptIds('a cat')).toEqual(ids.slice(0, -1));
    expect(bert.token(ids.at(-1) as number)).toBe('[SEP]');
    expect(bert.decode(bert.promptIds('a cat'))).toBe('a cat');
  });

  it('is the same for readers of the shipped files, who add special tokens by them', () => {
    const { tokenizer, config: shippedConfig } = shipped(bert);
    for (const text of ['a cat', '', 'hat']) {
      expect(tokenizer.encode(text)).toEqual(bert.promptIds(text));
      expect(tokenizer.promptIds(text)).toEqual(bert.promptIds(text));
    }
    expect(shippedConfig).toMatchObject({ add_bos_token: true, add_eos_token: false, padding_side: 'left' });
  });

  it('has no special tokens where texts have none before them', () => {
    const bytes = byteTokenizer();
    expect(bytes.promptIds('the')).toEqual(bytes.encodePlain('the'));
    const { tokenizer, config: shippedConfig } = shipped(bytes);
    expect(tokenizer.promptIds('the end')).toEqual(bytes.encode('the end'));
    expect(shippedConfig.add_bos_token).toBe(false);
  });

  it('has none either where the configuration says so', () => {
    expect(new Tokenizer(json, { ...config, add_bos_token: false }).promptIds('a cat')).toEqual(
      bert.encodePlain('a cat'),
    );
  });
});
