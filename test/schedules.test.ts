import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tensor } from '../src/onnx/tensor.ts';
import { sampleDynamicsSchema } from '../src/report/sample-dynamics.ts';
import { distill } from '../src/run/distill.ts';
import { decodeSafetensors } from '../src/train/safetensors.ts';
import { fileHash } from './support/file-hash.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

const place = new RunPlace();
const STAGES =
  'stages=[{ name: answers, objectives: [kd], epochs: 1.5 }, { name: all, objectives: [kd, labels] }]';

beforeAll(async () => writeJsonLines(place.path('data.jsonl'), await readGlosses(220)));
afterAll(() => place.remove());

const rowsOf = (run: string) =>
  readFileSync(place.path('runs', run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | string>)
    .filter(({ stage }) => stage === 'train');

/** Distils, stopped and called again where `stopAt` steps are done. */
async function run(name: string, settings: readonly string[], stopAt?: number): Promise<void> {
  const recipe = smallRecipe(['export.int8=false', ...settings], name);
  const options = { baseline: false };
  if (stopAt !== undefined) {
    const stop = new AbortController();
    const stopped = distill(
      recipe,
      place.options(name, {
        ...options,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'progress' && event.stage === 'train' && event.done === stopAt) stop.abort();
        },
      }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'run.interrupted' });
  }
  await distill(recipe, place.options(name, options));
}

describe('a run with stages, a curriculum and weights of samples', () => {
  const settings = [
    STAGES,
    'training.curriculum={ kind: dynamics, start: 0.5, epochs: 2 }',
    'training.dynamics={ weigh: true }',
  ];
  const table = (name: string) => {
    const file = place.path('runs', name, 'dynamics.safetensors');
    return decodeSafetensors(readFileSync(file), file).tensors;
  };

  beforeAll(async () => {
    await run('whole', settings);
    // In the third epoch of four: batches depend on what the first two found.
    const steps = rowsOf('whole').at(-1)?.step as number;
    await run('stopped', settings, Math.round(0.6 * steps));
  });

  test('tells which stage each row is of, and trains its terms alone', () => {
    const rows = rowsOf('whole');
    expect(rows.map(({ training_stage }) => training_stage)).toEqual(['answers', 'all', 'all', 'all']);
    expect(rows.map((row) => 'grad_norm/labels' in row)).toEqual([false, true, true, true]);
    expect(rows[0]?.['loss/labels']).toBeUndefined();
  });

  test('sees every sample in the first epoch, then the easy ones more often', () => {
    const seen = table('whole').get('seen') as Tensor;
    const counts = [...(seen.data as Int32Array)];
    // The hardest in the first and in the last of four epochs, the easiest twice and more in those between.
    expect(Math.min(...counts)).toBe(2);
    expect(Math.max(...counts)).toBeGreaterThan(4);
  });

  test('writes down how it went for the samples, with examples', () => {
    const file = readFileSync(place.path('runs', 'whole', 'dynamics.json'), 'utf8');
    const dynamics = sampleDynamicsSchema.parse(JSON.parse(file));
    expect(dynamics.samples).toBe(table('whole').get('seen')?.dims[0]);
    expect(dynamics.confidence).toBeGreaterThan(0.3);
    const { easy, ambiguous, hard } = dynamics.examples;
    for (const examples of [easy, ambiguous, hard]) expect(examples).toHaveLength(6);
    expect(easy[0]?.confidence).toBeGreaterThan(hard[0]?.confidence as number);
    expect(ambiguous[0]?.variability).toBeGreaterThan(easy[0]?.variability as number);
    expect([...easy, ...hard].map(({ givenBy }) => givenBy)).toContain('teacher');
  });

  test('stopped and called again it ends in the same bits', () => {
    const model = (name: string) => fileHash(place.path('runs', name, 'student', 'onnx', 'model.onnx'));
    expect(model('stopped')).toBe(model('whole'));
    expect(table('stopped')).toEqual(table('whole'));
  });
});
