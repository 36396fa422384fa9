import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../src/index.ts';
import { distilRecipe, RUNS } from './distil-recipe.ts';
import { trainedRecipe } from './trained-recipe.ts';

/** The language model that comes along: the int8 form of what recipes/lm-teacher.yaml trains. */
export const SHIPPED_TEACHER = fileURLToPath(
  new URL('../models/wordnet-lm/onnx/model_quantized.onnx', import.meta.url),
);

/** What is kept of its answers: as many bytes a token at most. */
export const KEPT = {
  sampled: { keep: '{ sampled: 24 }', title: '24 tokens drawn from its answers' },
  likeliest: { keep: '{ likeliest: 24 }', title: 'the 24 likeliest tokens of its answers' },
} as const;
export type Kept = keyof typeof KEPT;

/** A float32 file of the teacher's shape, with its vocabulary: an hour of training would not change how fast it writes. */
export async function lmTeacherShape(
  log: (line: string) => void,
): Promise<{ readonly file: string; readonly parameters: number }> {
  const out = join(RUNS, 'lm-teacher-shape');
  const overrides = [
    'data.splits.train=64',
    'data.splits.validation=64',
    'data.splits.test=64',
    'inputs.text.tokenizer=../models/wordnet-lm/tokenizer.json',
  ];
  const { student } = await trainedRecipe({ recipe: 'lm-teacher', overrides, out, log });
  return { file: join(out, 'student/onnx/model.onnx'), parameters: student.parameters };
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
    overrides: [`outputs.logits.keep=${KEPT[kept].keep}`],
    log,
  });
  return { result, out: join(RUNS, `${name}-seed-${seed}`) };
}
