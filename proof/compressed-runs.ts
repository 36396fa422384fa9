import { cpSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { distill, parseRecipe, type RunResult } from '../src/index.ts';
import { trainedRecipe } from './trained-recipe.ts';

const RUNS = fileURLToPath(new URL('../runs/proof/', import.meta.url));
const RECIPES = fileURLToPath(new URL('../recipes', import.meta.url));

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
      'data.augmentation.views=3',
      'training.epochs=3',
      'training.batchSize=64',
      'export.int8=false',
    ],
    out: `${RUNS}compression-teacher`,
    log,
  });
}

export interface CompressedRun {
  readonly recipe: string;
  /** Of the run's folder, before `-seed-N`. */
  readonly name: string;
  readonly seed: number;
  /** In the place of the recipe's list; null takes the list away. */
  readonly compress?: readonly object[] | null;
  readonly overrides?: readonly string[];
  /** A run with the same training, by its name: its checkpoints are taken, for the transforms after it are another matter. */
  readonly trainedAs?: string;
  log(line: string): void;
}

/** Distils one variant of a recipe with the teacher of the proofs. */
export async function compressedRun(options: CompressedRun): Promise<RunResult> {
  const { recipe, name, seed, compress, overrides = [], trainedAs, log } = options;
  const file = `${RECIPES}/${recipe}.yaml`;
  const { compress: own, ...plain } = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const list = compress === undefined ? own : compress;
  const text = stringify(list ? { ...plain, compress: list } : plain);
  const out = `${RUNS}${name}-seed-${seed}`;
  const trained = `${RUNS}${trainedAs}-seed-${seed}/checkpoints/train`;
  if (trainedAs && existsSync(trained) && !existsSync(out))
    cpSync(trained, `${out}/checkpoints/train`, { recursive: true });
  return distill(
    parseRecipe(text, {
      file,
      overrides: [
        'teacher.model=../runs/proof/compression-teacher/student/onnx/model.onnx',
        'export.int8=false',
        `seed=${seed}`,
        ...overrides,
      ],
    }),
    {
      out,
      storeFolder: `${RUNS}.store`,
      recipeFolder: RECIPES,
      baseline: false,
      timingSeconds: 0.3,
      onEvent: (event) => {
        if (event.type === 'stage-end')
          log(`${name} seed ${seed}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
      },
    },
  );
}

/** Test accuracy of the network that a run had before its transforms. */
export function uncompressedOf({ baselines = [] }: RunResult) {
  const found = baselines.find(({ name }) => name === 'uncompressed');
  if (!found) throw new Error('the run has no network from before its transforms');
  return found.result;
}
