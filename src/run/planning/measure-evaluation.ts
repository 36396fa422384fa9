import type { Split } from '../../data/split.ts';
import type { Student } from '../../students/student.ts';
import { trainedTensors } from '../../train/step-graph.ts';
import { type ParameterEvaluator, parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import { type BatchSeconds, lengthOf } from './batch-counts.ts';
import type { PlanningContext } from './planning-context.ts';
import { sampledBuckets } from './sampled-split.ts';
import { secondsPerCall, timed } from './timing.ts';

export interface EvaluationCost {
  /** Seconds of a batch of `rows` samples, its answers read and counted. */
  readonly batch: BatchSeconds;
  readonly rows: number;
  /** Seconds to compile and load the forward pass of one length. */
  readonly prepareSeconds: number;
  /** How much memory that of the longest length took with its answers, and each other one beside it for each token of its length. */
  readonly held: { readonly longestBytes: number; readonly bytesPerToken: number };
}

/** Times the evaluation of a student during training, on one batch of every length: the longest first, and all held at once, as in a training. */
export async function measureEvaluation(
  context: PlanningContext,
  student: Student,
  rows: number,
): Promise<EvaluationCost> {
  const { data, engine, memory } = context;
  const { validation, test } = data.dataset.splits;
  const parameters = new Map(
    [...trainedTensors(student)].map(([name, { data }]) => [name, data as Float32Array]),
  );
  const batch = new Map<number, number>();
  let prepare = 0;
  const heldAt = [memory.observe()];
  const lengths: number[] = [];
  const evaluators: ParameterEvaluator[] = [];
  const splits = sampledBuckets([validation, test], rows).sort((a, b) => sampleLength(b) - sampleLength(a));
  try {
    for (const split of splits) {
      const evaluator = parameterEvaluator({
        engine,
        student,
        split,
        batchSize: rows,
        outputs: data.heads,
      });
      evaluators.push(evaluator);
      const first = await timed(() => evaluator.evaluate(parameters));
      const own = await secondsPerCall(() => evaluator.evaluate(parameters), context.checkInterrupted);
      batch.set(sampleLength(split), own);
      prepare += Math.max(0, first.seconds - own);
      lengths.push(sampleLength(split));
      heldAt.push(memory.observe());
    }
  } finally {
    for (const evaluator of evaluators) await evaluator.close();
  }
  return {
    batch,
    rows,
    prepareSeconds: prepare / Math.max(1, batch.size),
    held: heldBy(lengths, heldAt),
  };
}

function sampleLength({ buckets }: Split): number {
  return lengthOf(buckets[0]!);
}

/** @param heldAt bytes before the first length and after each */
function heldBy(lengths: readonly number[], heldAt: readonly number[]): EvaluationCost['held'] {
  const [before = 0, longest = before] = heldAt;
  const tokens = lengths.slice(1).reduce((sum, length) => sum + length, 0);
  return {
    longestBytes: Math.max(0, longest - before),
    bytesPerToken: Math.max(0, heldAt.at(-1)! - longest) / Math.max(1, tokens),
  };
}
