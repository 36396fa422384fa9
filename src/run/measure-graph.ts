import type { Batch } from '../data/batch.ts';
import type { Split } from '../data/split.ts';
import type { Graph } from '../onnx/graph.ts';
import { writeModel } from '../onnx/write-model.ts';
import { readLogits } from './logits.ts';
import type { RunContext } from './run-context.ts';
import { splitBatches } from './sample-batches.ts';
import type { ModelInputs } from './tasks/task.ts';

const ROWS = 256;

export interface GraphScore {
  /** Right answers / labelled samples, 0 to 1. */
  readonly accuracy: number;
  /** Mean over the labelled samples, in nats. */
  readonly crossEntropy: number;
}

/** How a classifier does on a labelled split. Throws LimbeckError `run.interrupted` between batches. */
export async function measureGraph<B extends Batch>(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  graph: Graph,
  { feeds }: Pick<ModelInputs<B>, 'feeds'>,
  split: Split<B>,
): Promise<GraphScore> {
  const session = await run.engine.load(writeModel(graph));
  try {
    let right = 0;
    let sum = 0;
    let total = 0;
    for (const batch of splitBatches(split, ROWS)) {
      run.checkInterrupted();
      const { logits } = await session.run(feeds(batch), { logits: null });
      for (const { label, answer, crossEntropy } of readLogits(logits, batch)) {
        if (label === answer) right++;
        sum += crossEntropy;
        total++;
      }
    }
    return { accuracy: right / Math.max(1, total), crossEntropy: sum / Math.max(1, total) };
  } finally {
    await session.release();
  }
}
