import { join } from 'node:path';
import type { RunResult, TrainResult } from '../src/index.ts';
import { distilRecipe, RUNS } from './distil-recipe.ts';
import { trainedRecipe } from './trained-recipe.ts';

/** Where the language model is that recipes/lm-teacher.yaml trains: in float32, unlike the one that comes along. */
export const TEACHER_RUN = join(RUNS, 'lm-teacher');

/** What is kept of its answers: as many bytes a token at most. */
export const KEPT = {
  sampled: { keep: '{ sampled: 24 }', title: '24 tokens drawn from its answers' },
  likeliest: { keep: '{ likeliest: 24 }', title: 'the 24 likeliest tokens of its answers' },
} as const;
export type Kept = keyof typeof KEPT;

/** The teacher, trained once. */
export function lmTeacher(log: (line: string) => void): Promise<TrainResult> {
  return trainedRecipe({ recipe: 'lm-teacher', out: TEACHER_RUN, log });
}

/** recipes/lm.yaml with one seed, beside the same student trained on the text alone where the drawn answers teach. */
export async function lmStudent(
  kept: Kept,
  seed: number,
  log: (line: string) => void,
): Promise<{ readonly result: RunResult; readonly out: string }> {
  const name = `language-model-${kept}`;
  const result = await distilRecipe({
    recipe: 'lm',
    name,
    seed,
    baseline: kept === 'sampled',
    overrides: [`teacher.model=${join(TEACHER_RUN, 'student')}`, `outputs.logits.keep=${KEPT[kept].keep}`],
    log,
  });
  return { result, out: join(RUNS, `${name}-seed-${seed}`) };
}
