import type { Split } from '../../data/split.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
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

/**
 * How a classifier does on a labelled split. Throws LimbeckError `run.interrupted` between batches.
 *
 * @param outputs the logits that are looked at: the first ones decide what is right, and the cross-entropy is the mean over all
 */
export async function measureGraph(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  graph: Graph,
  split: Split,
  outputs: readonly [string, ...string[]] = ['logits'],
): Promise<GraphScore> {
  const session = await run.engine.load(writeModel(graph));
  try {
    const right: boolean[] = [];
    let sum = 0;
    for (const batch of splitBatches(split, ROWS)) {
      run.checkInterrupted();
      const fetches = Object.fromEntries(outputs.map((output) => [output, null]));
      const said = await session.run(takenFeeds(session, batch.columns), fetches);
      for (const [i, output] of outputs.entries()) {
        for (const { label, answer, crossEntropy } of readLogits(said[output] as Tensor, batch)) {
          if (i === 0) right.push(label === answer);
          sum += crossEntropy / outputs.length;
        }
      }
    }
    const total = Math.max(1, right.length);
    return { accuracy: right.filter(Boolean).length / total, crossEntropy: sum / total, right };
  } finally {
    await session.release();
  }
}
