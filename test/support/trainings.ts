import type { Engine } from '../../src/engine/engine.ts';
import { labelsTerm } from '../../src/objectives/cross-entropy.ts';
import { type Tensor, tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { randomStream } from '../../src/random.ts';
import { buildClassifier } from '../../src/students/build-student.ts';
import { resnet } from '../../src/students/resnet.ts';
import type { Student } from '../../src/students/student.ts';
import { textAttention } from '../../src/students/text-attention.ts';
import { adamw } from '../../src/train/adamw.ts';
import { firstContents } from '../../src/train/carried.ts';
import { compileStep } from '../../src/train/compile-step.ts';

// One and the same training step, on every engine that there is.
export const STEPS = 20;
const CLASSES = 3;
const random = randomStream(1, 'engines');

interface Training {
  readonly model: Uint8Array;
  /** What the first step is fed: the model, its state, one batch. */
  readonly feeds: Record<string, Tensor>;
  /** Names of what every step makes anew, as `NAME/next`. */
  readonly carried: readonly string[];
}

function trainingOf(
  student: Student,
  sizes: Record<string, number>,
  batch: Record<string, Tensor>,
): Training {
  const step = compileStep({
    student,
    sizes,
    terms: [labelsTerm({ weight: 1 })],
    optimizer: adamw(),
    maxGradNorm: 1,
  });
  const feeds: Record<string, Tensor> = { ...batch, ...firstContents(step.carried) };
  const wanted = new Set(step.batchInputs.map(({ name }) => name));
  for (const name of Object.keys(batch)) if (!wanted.has(name)) delete feeds[name];
  return { model: writeModel(step.graph), feeds, carried: step.carried.map(({ spec }) => spec.name) };
}

const labels = (rows: number) => ({
  labels: tensor(
    'int32',
    [rows],
    Int32Array.from({ length: rows }, (_, i) => i % CLASSES),
  ),
  row_weights: tensor('float32', [rows], new Float32Array(rows).fill(1)),
});

// 6 rows would meet an error of ONNX Runtime: docs/training-step.md, "Engines".
const [rows, tokens] = [8, 5];
const ids = BigInt64Array.from({ length: rows * tokens }, () => BigInt(random.integer(20)));
export const TRAININGS: Record<string, Training> = {
  'a transformer': trainingOf(
    buildClassifier(
      textAttention,
      { width: 16, heads: 2, layers: 1, feedForward: 32 },
      { vocabularySize: 20, classes: CLASSES, maxLength: tokens, random },
    ),
    { batch: rows, sequence: tokens },
    {
      input_ids: tensor('int64', [rows, tokens], ids),
      attention_mask: tensor('int64', [rows, tokens], new BigInt64Array(rows * tokens).fill(1n)),
      ...labels(rows),
    },
  ),
  'a convolutional network': trainingOf(
    buildClassifier(resnet, resnet.options.parse({ width: 4, stages: 2, blocks: 1 }), {
      channels: 2,
      height: 8,
      width: 8,
      classes: CLASSES,
      random,
    }),
    { batch: rows },
    {
      pixel_values: tensor(
        'float32',
        [rows, 2, 8, 8],
        Float32Array.from({ length: rows * 128 }, () => random.normal()),
      ),
      ...labels(rows),
    },
  ),
};
const scalar = (value: number) => tensor('float32', [], Float32Array.of(value));

/** The losses of `STEPS` steps on the same batch. */
export async function lossesOn(engine: Engine, { model, feeds, carried }: Training): Promise<number[]> {
  const session = await engine.load(model);
  let state = feeds;
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const out = await session.run({ ...state, learning_rate: scalar(0.01), step: scalar(step) });
    losses.push(Number((out.loss as Tensor).data[0]));
    state = { ...state, ...Object.fromEntries(carried.map((name) => [name, out[`${name}/next`] as Tensor])) };
  }
  await session.release();
  return losses;
}
