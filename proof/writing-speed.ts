import { readFileSync } from 'node:fs';
import { loadWriters } from '../bench/generation-speed.ts';

/** A prompt of 8 tokens, and 48 that follow, whatever they are: an end of text ends nothing here. */
const TASK = { rows: 1, prompt: 8, tokens: 48, threads: 1 };
const ROUNDS = 25;

/**
 * Tokens a second of one stream, as the ONNX files ship: the likeliest token each time, with a cache, one thread. The models write
 * in turns; the first rounds warm up. For each file the speeds of all other rounds.
 */
export async function writingSpeeds(files: readonly string[]): Promise<number[][]> {
  const models = await Promise.all(files.map((file) => loadWriters(readFileSync(file), TASK)));
  const writers = models.map((model, i) => model.ours(files[i] as string));
  const speeds = writers.map((): number[] => []);
  for (let round = -3; round < ROUNDS; round++) {
    for (const [i, writer] of writers.entries()) {
      const { milliseconds } = await writer.write();
      if (round >= 0) speeds[i]?.push((1000 * TASK.tokens) / milliseconds);
    }
  }
  for (const model of models) await model.release();
  return speeds;
}
