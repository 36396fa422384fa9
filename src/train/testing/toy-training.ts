import { createNodeEngine } from '../../engine/node.ts';
import { crossEntropy } from '../../metrics/cross-entropy.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { kdTerm } from '../../objectives/kd-logits.ts';
import { tensor } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { textConv } from '../../students/text-conv.ts';
import { adamw } from '../adamw.ts';
import type { PlainBatchSource } from '../batch-source.ts';
import { CheckpointFolder } from '../checkpoint.ts';
import type { TrainingOptions } from '../training-loop.ts';

export const CLASSES = 3;
export const BATCH = 16;
const engine = createNodeEngine();

/** A toy task: the class is the remainder of the row's tokens by 3; the teacher says so with some doubt. */
export function toyBatches(): PlainBatchSource {
  return {
    batchesPerEpoch: 8,
    batch({ epoch, index }) {
      const length = index % 2 === 0 ? 4 : 8;
      const random = randomStream(7, epoch, index);
      const labels = Int32Array.from({ length: BATCH }, () => random.integer(CLASSES));
      const token = (row: number) => CLASSES * random.integer(10) + labels[row];
      const ids = BigInt64Array.from({ length: BATCH * length }, (_, i) =>
        BigInt(token(Math.floor(i / length))),
      );
      const knowledge = Float32Array.from({ length: BATCH * CLASSES }, (_, i) =>
        labels[Math.floor(i / CLASSES)] === i % CLASSES ? 3 : 0,
      );
      return {
        variant: `${length}`,
        rows: BATCH,
        feeds: {
          input_ids: tensor('int64', [BATCH, length], ids),
          attention_mask: tensor('int64', [BATCH, length], new BigInt64Array(BATCH * length).fill(1n)),
          labels: tensor('int32', [BATCH], labels),
          row_weights: tensor('float32', [BATCH], new Float32Array(BATCH).fill(1)),
          'knowledge/logits': tensor('float32', [BATCH, CLASSES], knowledge),
        },
      };
    },
  };
}

/** 48 steps of 6 epochs on the toy task, in buckets of 4 and 8 tokens. */
export function toyTraining(overrides: Partial<TrainingOptions> = {}): TrainingOptions {
  const student = buildClassifier(
    textConv,
    { embedding: 8, width: 16, kernel: 3 },
    { vocabularySize: 30, classes: CLASSES, maxLength: 8, random: randomStream(1, 'student') },
  );
  return {
    engine,
    student,
    variants: { 4: { batch: BATCH, sequence: 4 }, 8: { batch: BATCH, sequence: 8 } },
    terms: [kdTerm({ weight: 0.9, temperature: 2 }), labelsTerm({ weight: 0.1 })],
    optimizer: adamw({ weightDecay: 0.01 }),
    schedule: { peak: 0.01, totalSteps: 48, warmup: 0.1, decay: 'cosine' },
    maxGradNorm: 1,
    batches: toyBatches(),
    evaluate: async (parameters) => {
      const sum = [...parameters.values()].reduce((total, data) => total + Math.abs(data[0]), 0);
      return { accuracy: 1 / (1 + sum), macroF1: 0, loss: sum };
    },
    selection: { metric: crossEntropy() },
    ...overrides,
  };
}

/** All parameters as text, to compare them bit by bit. */
export function bitsOf(parameters: ReadonlyMap<string, Float32Array>): string {
  return [...parameters]
    .map(([name, data]) => `${name} ${Buffer.from(data.buffer).toString('base64')}`)
    .join('\n');
}

/** The checkpoints of the toy training in a folder. */
export function toyCheckpoints(folder: string, seed = 1): CheckpointFolder {
  return new CheckpointFolder(folder, { identity: { seed: `${seed}` }, circumstances: { threads: '1' } });
}
