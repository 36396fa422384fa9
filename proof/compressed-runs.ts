import { cpSync, existsSync } from 'node:fs';
import { accuracyOf, type RunResult } from '../src/index.ts';
import { distilRecipe, type RecipeVariant, RUNS } from './distil-recipe.ts';
import { percents } from './statistics.ts';
import { trainedRecipe } from './trained-recipe.ts';

/** The teacher of the proofs of compression: a ResNet on 10,000 images with labels, trained once (seed 1). */
export async function compressionTeacher(log: (line: string) => void) {
  return trainedRecipe({
    recipe: 'fashion',
    overrides: [
      'name=compression-teacher',
      'student.width=32',
      'student.blocks=1',
      'student.stride=2',
      'data.splits.train=10000',
      'data.augmentation.crop=1',
      'data.augmentation.views=3',
      'training.epochs=3',
      'training.batchSize=64',
      'export.int8=false',
    ],
    out: `${RUNS}/compression-teacher`,
    log,
  });
}

/** Distils one variant of a recipe with the teacher of the proofs. */
export async function compressedRun(
  options: RecipeVariant & {
    /** A run with the same training, by its name: its checkpoints are taken, for the transforms after it are another matter. */
    readonly trainedAs?: string;
    log(line: string): void;
  },
): Promise<RunResult> {
  const { name, seed, overrides = [], trainedAs } = options;
  const out = `${RUNS}/${name}-seed-${seed}`;
  const trained = `${RUNS}/${trainedAs}-seed-${seed}/checkpoints/train`;
  if (trainedAs && existsSync(trained) && !existsSync(out))
    cpSync(trained, `${out}/checkpoints/train`, { recursive: true });
  return distilRecipe({
    ...options,
    overrides: [
      'teacher.model=../runs/proof/compression-teacher/student/onnx/model.onnx',
      'export.int8=false',
      ...overrides,
    ],
    baseline: false,
    timingSeconds: 0.3,
  });
}

/** The network that a run had before its transforms, as it was measured on the test split. */
export function uncompressedOf({ baselines = [] }: RunResult) {
  const found = baselines.find(({ name }) => name === 'uncompressed');
  if (!found) throw new Error('the run has no network from before its transforms');
  return found.result;
}

/** Accuracies of students on the test split, 0 to 1. */
export function accuraciesOf(runs: readonly RunResult[]): number[] {
  return runs.map(({ student }) => accuracyOf(student));
}

/** Accuracies on the validation split, 0 to 1, right after the first round of the first transform. */
export function firstCutsOf(runs: readonly RunResult[]): number[] {
  return runs.map(({ compression }) => compression?.[0]?.rounds?.[0]?.cut?.accuracy ?? 0);
}

/** By how much more of the test split each run gets right than another one of the same seed. */
export function differencesOf(runs: readonly RunResult[], others: readonly RunResult[]): number[] {
  const compared = accuraciesOf(others);
  return accuraciesOf(runs).map((accuracy, i) => accuracy - (compared[i] as number));
}

export const NETWORK_COLUMNS = ['network', 'test accuracy, %', 'parameters', 'file', 'one image, ms'];

/** A row of a table with `NETWORK_COLUMNS`: accuracies over seeds, sizes and times of one of them. */
export function networkRow(
  title: string,
  accuracies: readonly number[],
  { parameters, bytes, latencyMs }: RunResult['student'],
): string[] {
  return [
    title,
    percents(accuracies),
    `${parameters}`,
    `${Math.round(bytes / 1000)} kB`,
    latencyMs.one.toFixed(2),
  ];
}
