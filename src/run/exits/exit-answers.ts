import { answeredExits } from '../../compress/exits/answered-exits.ts';
import type { ExitSamples } from '../../compress/exits/choose-thresholds.ts';
import { segmentsOf } from '../../compress/exits/segments.ts';
import { multiplicationsOf } from '../../compress/multiplications.ts';
import { columnOf } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Head } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';

const ROWS = 256;

/** What a network with exits said of the labelled samples of a split, in the split's order. */
export interface ExitAnswers extends ExitSamples {
  /** Of each sample: its place in the split, and its class. */
  readonly ordinals: readonly number[];
  readonly labels: readonly number[];
  /** By exit, and last for the end; then by sample: the class that it answers. */
  readonly answers: readonly Int32Array[];
}

/**
 * Asks a network with exits at all of them about a split.
 *
 * @param costs as `exitCosts` gives them; of a quantised network those of the same one in float32
 * @throws LimbeckError `run.interrupted` between batches
 */
export async function exitAnswers(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  network: Graph,
  options: { readonly split: Split; readonly head: Pick<Head, 'labels'>; readonly costs: readonly number[] },
): Promise<ExitAnswers> {
  const { split, head, costs } = options;
  const { graph, answers } = answeredExits(network);
  const session = await run.engine.load(writeModel(graph), { title: 'the student with its exits' });
  const ordinals: number[] = [];
  const labels: number[] = [];
  const said = answers.map(() => [] as number[]);
  const sure = answers.map(() => [] as number[]);
  try {
    for (const batch of splitBatches(split, ROWS)) {
      run.checkInterrupted();
      const outputs = await session.run(takenFeeds(session, batch.columns));
      const truth = columnOf(batch, head.labels).data as Int32Array;
      const rows = Array.from({ length: batch.filled }, (_, row) => row).filter(
        (row) => (truth[row] as number) >= 0,
      );
      for (const row of rows) {
        ordinals.push(batch.ordinals[row] as number);
        labels.push(truth[row] as number);
      }
      answers.forEach(({ logits, confidence }, exit) => {
        const { data, dims } = outputs[logits.name]!;
        const own = outputs[confidence.name]!.data as Float32Array;
        for (const row of rows) {
          said[exit]?.push(largest(data as Float32Array, row, dims[1] as number));
          sure[exit]?.push(own[row] as number);
        }
      });
    }
  } finally {
    await session.release();
  }
  return {
    ordinals,
    labels,
    costs,
    answers: said.map((own) => Int32Array.from(own)),
    right: said.map((own) => Uint8Array.from(own, (answer, sample) => (answer === labels[sample] ? 1 : 0))),
    confidence: sure.slice(0, -1).map((own) => Float32Array.from(own)),
  };
}

/** What leaving at each exit, and last at the end, costs: products of one sample from the beginning, or nodes where sizes are open. */
export function exitCosts(network: Graph): number[] {
  const { graph, answers } = answeredExits(network);
  const segments = segmentsOf(
    graph,
    answers.map(({ logits }) => [logits]),
  );
  const products = segments.map(({ nodes }) =>
    nodes.reduce((sum, node) => sum + (multiplicationsOf(node, { batch: 1 }) ?? Number.NaN), 0),
  );
  const counted = products.every((count) => count > 0) ? products : segments.map(({ nodes }) => nodes.length);
  let sum = 0;
  return counted.map((count) => {
    sum += count;
    return sum;
  });
}

function largest(logits: Float32Array, row: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if ((logits[row * classes + c] as number) > (logits[row * classes + best] as number)) best = c;
  }
  return best;
}
