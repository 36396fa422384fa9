import { parseTokenizer } from '../../src/data/modalities/text/tokenizer/tokenizer.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { int64 } from '../../src/onnx/tensor.ts';
import { FACTS_FILE, type ModelFacts, TEXT_MODEL_FILE, unpackVectors, VECTORS_FILE } from './gallery.ts';

/** What was found for a word. */
export interface Found {
  /** Positions in the gallery, the nearest first. */
  readonly drawings: readonly number[];
  /** Milliseconds for the word's vector, and for the search. */
  readonly embedding: number;
  readonly search: number;
}

/** A model that finds drawings by words. */
export interface Finder {
  readonly facts: ModelFacts;
  find(word: string, count: number): Promise<Found>;
}

/** Loads the text tower of a folder, its tokenizer, and its vectors of the drawings. */
export async function loadFinder(engine: Engine, folder: string): Promise<Finder> {
  const bytes = async (name: string) => {
    const response = await fetch(`${folder}/${name}`);
    if (!response.ok) throw new Error(`${folder}/${name} is not there (${response.status})`);
    return response.arrayBuffer();
  };
  const [facts, json, config, vectors, model] = await Promise.all([
    bytes(FACTS_FILE).then((content) => JSON.parse(new TextDecoder().decode(content)) as ModelFacts),
    bytes('tokenizer.json'),
    bytes('tokenizer_config.json'),
    bytes(VECTORS_FILE),
    bytes(TEXT_MODEL_FILE),
  ]);
  const tokenizer = parseTokenizer(new Uint8Array(json), new Uint8Array(config), folder);
  const { model_max_length: most } = JSON.parse(new TextDecoder().decode(config)) as {
    model_max_length: number;
  };
  const table = unpackVectors(vectors, facts.width);
  const session = await engine.load(new Uint8Array(model), { title: folder });
  return {
    facts,
    async find(word, count) {
      const began = performance.now();
      const ids = tokenizer.encode(word, most);
      const dims = [1, ids.length];
      const { text_embeds } = await session.run({
        input_ids: int64(ids, dims),
        attention_mask: int64(
          ids.map(() => 1),
          dims,
        ),
      });
      const embedded = performance.now();
      const drawings = nearest(text_embeds?.data as Float32Array, table, count);
      return { drawings, embedding: embedded - began, search: performance.now() - embedded };
    },
  };
}

/** The rows of a table with the largest product with a vector, the largest first. */
export function nearest(vector: Float32Array, table: Float32Array, count: number): number[] {
  const width = vector.length;
  const scores = new Float32Array(table.length / width);
  for (let row = 0; row < scores.length; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += (vector[i] as number) * (table[row * width + i] as number);
    scores[row] = sum;
  }
  return Array.from(scores.keys())
    .sort((a, b) => (scores[b] as number) - (scores[a] as number))
    .slice(0, count);
}
