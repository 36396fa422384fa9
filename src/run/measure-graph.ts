import type { TokenSplit } from '../data/token-split.ts';
import type { Graph } from '../onnx/graph.ts';
import { writeModel } from '../onnx/write-model.ts';
import { readLogits } from './logits.ts';
import type { RunContext } from './run-context.ts';
import { splitBatches, tokenFeeds } from './text-batches.ts';

const ROWS = 256;

export interface GraphScore {
  /** Right answers / labelled texts, 0 to 1. */
  readonly accuracy: number;
  /** Mean over the labelled texts, in nats. */
  readonly crossEntropy: number;
}

/** How a text classifier does on a labelled split. Throws LimbeckError `run.interrupted` between batches. */
export async function measureGraph(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  graph: Graph,
  split: TokenSplit,
): Promise<GraphScore> {
  const session = await run.engine.load(writeModel(graph));
  try {
    let right = 0;
    let sum = 0;
    let total = 0;
    for (const batch of splitBatches(split, ROWS)) {
      run.checkInterrupted();
      const { logits } = await session.run(tokenFeeds(batch), { logits: null });
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
