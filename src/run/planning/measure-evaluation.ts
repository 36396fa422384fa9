import type { Student } from '../../students/student.ts';
import { trainedTensors } from '../../train/step-graph.ts';
import { parameterEvaluator } from '../measuring/evaluate-parameters.ts';
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
  /** The most memory that the forward pass of one length was seen to add, for each token of it. */
  readonly bytesPerToken: number;
}

/** Times the evaluation of a student during training, on one batch of every length. */
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
  let bytesPerToken = 0;
  for (const split of sampledBuckets([validation, test], rows)) {
    const before = memory.observe();
    const evaluator = parameterEvaluator({
      engine,
      student,
      split,
      batchSize: rows,
      outputs: data.heads,
    });
    try {
      const first = await timed(() => evaluator.evaluate(parameters));
      const own = await secondsPerCall(() => evaluator.evaluate(parameters), context.checkInterrupted);
      batch.set(lengthOf(split.buckets[0]!), own);
      prepare += Math.max(0, first.seconds - own);
      const added = memory.observe() - before;
      bytesPerToken = Math.max(bytesPerToken, added / lengthOf(split.buckets[0]!));
    } finally {
      await evaluator.close();
    }
  }
  return { batch, rows, prepareSeconds: prepare / Math.max(1, batch.size), bytesPerToken };
}
