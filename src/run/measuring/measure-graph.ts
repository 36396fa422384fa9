import type { Split } from '../../data/split.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';

const ROWS = 256;

export interface GraphScore {
  /** Right answers / labelled samples, 0 to 1. */
  readonly accuracy: number;
  /** Mean over the labelled samples, in nats. */
  readonly crossEntropy: number;
  /** Of each labelled sample in the split's order, whether the answer is its label: to compare graphs sample by sample. */
  readonly right: readonly boolean[];
}

/** How a classifier does on a labelled split. Throws LimbeckError `run.interrupted` between batches. */
export async function measureGraph(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  graph: Graph,
  split: Split,
): Promise<GraphScore> {
  const session = await run.engine.load(writeModel(graph));
  try {
    const right: boolean[] = [];
    let sum = 0;
    for (const batch of splitBatches(split, ROWS)) {
      run.checkInterrupted();
      const { logits } = await session.run(takenFeeds(session, batch.columns), { logits: null });
      for (const { label, answer, crossEntropy } of readLogits(logits, batch)) {
        right.push(label === answer);
        sum += crossEntropy;
      }
    }
    const total = Math.max(1, right.length);
    return { accuracy: right.filter(Boolean).length / total, crossEntropy: sum / total, right };
  } finally {
    await session.release();
  }
}
