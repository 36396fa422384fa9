import { mkdirSync } from 'node:fs';
import { variantName } from '../src/data/batch.ts';
import type { Tokenizer } from '../src/data/modalities/text/tokenizer/tokenizer.ts';
import type { RecordSplit } from '../src/data/prepared/record-split.ts';
import type { Engine, Session } from '../src/engine/engine.ts';
import { type ObjectiveInput, objectiveTerms } from '../src/objectives/index.ts';
import type { ObjectiveContext } from '../src/objectives/objective.ts';
import { int64, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { objectiveSchema } from '../src/recipe/objective.ts';
import { splitBatches, trainingBatch } from '../src/run/batches/sample-batches.ts';
import { parameterEvaluator } from '../src/run/measuring/evaluate-parameters.ts';
import { buildStudent } from '../src/students/build-student.ts';
import { dualEncoder } from '../src/students/dual-encoder.ts';
import { principalAxes } from '../src/students/principal-axes.ts';
import type { Student } from '../src/students/student.ts';
import { openHead } from '../src/targets/index.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../src/targets/pair-embeds.ts';
import { pairs } from '../src/targets/pairs.ts';
import type { AnyTarget } from '../src/targets/target.ts';
import { adamw } from '../src/train/adamw.ts';
import { takenFeeds } from '../src/train/batch-feeds.ts';
import { CheckpointFolder } from '../src/train/checkpoint.ts';
import { withParameters } from '../src/train/step-graph.ts';
import { trainStudent } from '../src/train/training-loop.ts';
import { MAX_LENGTH, WIDTH } from './emoji-pairs.ts';

const HEAD = openHead({
  output: 'pairs',
  target: pairs as unknown as AnyTarget,
  options: { width: WIDTH },
  space: { width: 2 * WIDTH },
  labels: 'labels',
});

/** A dual encoder with its first weights. @param frozen the text tower that is not trained, where `text` asks for it */
export function pairModel(
  parts: {
    readonly text: object;
    readonly image: object;
    readonly frozen?: Parameters<typeof dualEncoder.build>[3]['frozen'];
  },
  tokenizer: Tokenizer,
  seed: number,
): Student {
  return buildStudent({
    backbone: dualEncoder,
    options: dualEncoder.options.parse({ text: parts.text, image: parts.image }),
    inputs: {
      text: { vocabularySize: tokenizer.vocabularySize, maxLength: MAX_LENGTH },
      image: { channels: 3, height: 32, width: 32 },
      frozen: parts.frozen,
    },
    heads: [HEAD],
    random: randomStream(seed, 'student'),
  });
}

/** What the teacher said of the training samples, in all their views. */
export interface PairAnswers {
  /** [samples, WIDTH], by ordinal. */
  readonly texts: Float32Array;
  readonly images: Float32Array;
}

/** Asks a teacher about every view of a split. */
export async function askPairs(teacher: Session, split: RecordSplit): Promise<PairAnswers> {
  const texts = new Float32Array(split.size * WIDTH);
  const images = new Float32Array(split.size * WIDTH);
  for (const batch of splitBatches(split, 64)) {
    const said = await teacher.run(takenFeeds(teacher, batch.columns), {
      [TEXT_EMBEDS]: null,
      [IMAGE_EMBEDS]: null,
    });
    for (let row = 0; row < batch.filled; row++) {
      const at = (batch.ordinals[row] as number) * WIDTH;
      texts.set(rowOf(said[TEXT_EMBEDS] as Tensor, row), at);
      images.set(rowOf(said[IMAGE_EMBEDS] as Tensor, row), at);
    }
  }
  return { texts, images };
}

const rowOf = ({ data }: Tensor, row: number) =>
  (data as Float32Array).subarray(row * WIDTH, (row + 1) * WIDTH);

/** Each token alone as the teacher embeds it, on its strongest axes: where a student's table begins. */
export async function startFromTeacher(
  student: Student,
  teacher: Session,
  images: RecordSplit,
): Promise<void> {
  const table = [...student.graph.initializers].find(
    ([{ name }]) => name === 'text_model/embedding/weight',
  )?.[1] as Tensor;
  const [tokens, width] = table.dims as [number, number];
  const vectors = new Float32Array(tokens * WIDTH);
  const batch = images.readBatch(
    0,
    Uint32Array.from({ length: 64 }, (_, i) => i),
    64,
  );
  for (let from = 0; from < tokens; from += 64) {
    const ids = Array.from({ length: 64 }, (_, i) => Math.min(from + i, tokens - 1));
    const columns = {
      ...batch.columns,
      input_ids: int64(ids, [64, 1]),
      attention_mask: int64(new Array(64).fill(1), [64, 1]),
    };
    const said = await teacher.run(takenFeeds(teacher, columns), { [TEXT_EMBEDS]: null });
    const count = Math.min(64, tokens - from);
    vectors.set(
      ((said[TEXT_EMBEDS] as Tensor).data as Float32Array).subarray(0, count * WIDTH),
      from * WIDTH,
    );
  }
  centre(vectors);
  const axes = principalAxes(vectors, WIDTH, width, new Float32Array(tokens).fill(1 / tokens));
  const data = table.data as Float32Array;
  let squares = 0;
  for (let token = 0; token < tokens; token++) {
    for (let axis = 0; axis < width; axis++) {
      let sum = 0;
      for (let i = 0; i < WIDTH; i++)
        sum += (vectors[token * WIDTH + i] as number) * (axes[axis * WIDTH + i] as number);
      data[token * width + axis] = sum;
      squares += sum * sum;
    }
  }
  // As large as the student's own first weights.
  const scale = 0.1 / Math.sqrt(squares / data.length);
  for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) * scale;
}

function centre(vectors: Float32Array): void {
  const mean = new Float64Array(WIDTH);
  const rows = vectors.length / WIDTH;
  vectors.forEach((value, i) => {
    (mean[i % WIDTH] as number) += value / rows;
  });
  for (let i = 0; i < vectors.length; i++) vectors[i] = (vectors[i] as number) - (mean[i % WIDTH] as number);
}

export interface PairTraining {
  readonly engine: Engine;
  readonly student: Student;
  readonly split: RecordSplit;
  /** Samples, whatever their views. */
  readonly views: number;
  readonly validation: RecordSplit;
  readonly objective: readonly ObjectiveInput[];
  readonly answers?: PairAnswers | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Where checkpoints are: a training that was cut off goes on. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** Trains a dual encoder; the evaluation with the best recall@10 of both ways on the validation split is kept. */
export async function trainPairs(options: PairTraining): Promise<Student> {
  const { engine, student, split, views, validation, answers, epochs, batchSize, seed, folder, log } =
    options;
  const samples = split.size / views;
  const batchesPerEpoch = Math.floor(samples / batchSize);
  const sizes = { batch: batchSize, sequence: MAX_LENGTH };
  const context = { classes: 0, mainOutput: HEAD.output, weighted: new Set<string>() } as ObjectiveContext;
  const evaluator = parameterEvaluator({ engine, student, split: validation, batchSize, outputs: [HEAD] });
  mkdirSync(folder, { recursive: true });
  try {
    const { parameters, best, seconds } = await trainStudent({
      engine,
      student,
      seed,
      variants: { [variantName(sizes)]: sizes },
      terms: objectiveTerms(objectiveSchema().parse(options.objective) as never, context),
      optimizer: adamw({ weightDecay: options.weightDecay }),
      schedule: {
        peak: options.learningRate,
        totalSteps: epochs * batchesPerEpoch,
        warmup: 0.1,
        decay: 'cosine',
      },
      maxGradNorm: 1,
      batches: {
        batchesPerEpoch,
        batch({ epoch, index }) {
          const order = shuffled(samples, seed, epoch);
          const indices = order
            .slice(index * batchSize, (index + 1) * batchSize)
            .map((sample) => sample + ((epoch + sample) % views) * samples);
          const batch = split.readBatch(0, indices, batchSize);
          const made = trainingBatch(batch);
          return answers
            ? { ...made, feeds: { ...made.feeds, ...knowledgeOf(answers, batch.ordinals) } }
            : made;
        },
      },
      evaluateEvery: batchesPerEpoch,
      evaluate: evaluator.evaluate,
      selection: { metric: HEAD.metrics.find(({ name }) => name === 'recall@10')! },
      checkpoints: {
        folder: new CheckpointFolder(folder, {
          identity: {
            options: JSON.stringify([
              options.objective,
              epochs,
              batchSize,
              options.learningRate,
              options.weightDecay,
              seed,
            ]),
          },
          circumstances: {},
        }),
        everySeconds: 30,
      },
    });
    log(
      `  ${Math.round(seconds)} s, recall@10 ${(100 * (best.evaluation['recall@10'] as number)).toFixed(1)} % on the validation split`,
    );
    return withParameters(student, parameters);
  } finally {
    await evaluator.close();
  }
}

function knowledgeOf({ texts, images }: PairAnswers, ordinals: Uint32Array): Record<string, Tensor> {
  const rows = (all: Float32Array) => {
    const data = new Float32Array(ordinals.length * WIDTH);
    ordinals.forEach((ordinal, row) => {
      data.set(all.subarray(ordinal * WIDTH, (ordinal + 1) * WIDTH), row * WIDTH);
    });
    return tensor('float32', [ordinals.length, WIDTH], data);
  };
  return { [`knowledge/${TEXT_EMBEDS}`]: rows(texts), [`knowledge/${IMAGE_EMBEDS}`]: rows(images) };
}

function shuffled(samples: number, seed: number, epoch: number): Uint32Array {
  const random = randomStream(seed, 'order', epoch);
  const order = Uint32Array.from({ length: samples }, (_, i) => i);
  for (let i = samples - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
