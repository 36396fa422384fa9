import { labelsOf } from '../../data/batch.ts';
import type { Graph } from '../../onnx/graph.ts';
import { percent } from '../../percent.ts';
import { askAll } from '../../teachers/ask-all.ts';
import { memberOutput } from '../../teachers/several/combine.ts';
import { fitTemperature, logChance } from '../../teachers/several/fit-temperature.ts';
import { mixtureWeights } from '../../teachers/several/mixture-weights.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import { type MembersData, openMembers } from './ask-members.ts';
import { TEACHER_BATCH } from './ask-teacher.ts';

/** What several teachers come to count, in their order. */
export interface MemberWeights {
  /** They sum to 1. */
  readonly weighting: readonly number[];
  /** What the logits of each are divided by. */
  readonly temperatures: readonly number[];
}

/**
 * The temperature of each teacher, and then the weights of their mixture, under which the labelled validation samples are
 * likeliest: without the first a teacher that is too sure of itself would count for nothing.
 *
 * @param model with what each says alone as its outputs (`memberOutput`)
 */
export async function fitMembers(
  run: RunContext,
  model: Graph,
  data: MembersData,
  titles: readonly string[],
): Promise<MemberWeights> {
  const outputs = titles.map((_, i) => memberOutput(i));
  const labeller = await openMembers(run, model, data, titles);
  const labels: number[] = [];
  const logits: Float32Array[][] = titles.map(() => []);
  try {
    const { checkInterrupted } = run;
    const batches = splitBatches(data.dataset.splits.validation, TEACHER_BATCH);
    for await (const [batch, answers] of askAll(labeller, batches, outputs, { checkInterrupted })) {
      checkInterrupted();
      const truth = labelsOf(batch).subarray(0, batch.filled);
      for (const [row, label] of truth.entries()) {
        if (label < 0) continue;
        labels.push(label);
        outputs.forEach((output, i) => {
          const all = answers[output] as Float32Array;
          const classes = all.length / batch.filled;
          logits[i]?.push(all.slice(row * classes, (row + 1) * classes));
        });
      }
    }
  } finally {
    await labeller.close();
  }
  const temperatures = logits.map((rows) => fitTemperature({ logits: joined(rows), labels }));
  const chances = labels.map((label, sample) =>
    logits.map((rows, i) =>
      Math.exp(logChance(rows[sample] as Float32Array, label, temperatures[i] as number)),
    ),
  );
  const weighting = mixtureWeights(chances, titles.length);
  const told = titles.map(
    (title, i) =>
      `${title} ${percent(weighting[i] as number)} (temperature ${(temperatures[i] as number).toFixed(2)})`,
  );
  const message = `the teachers count, by ${labels.length} validation samples: ${told.join(', ')}`;
  run.emit({ type: 'log', level: 'info', message });
  return { weighting, temperatures };
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}
