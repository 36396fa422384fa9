import type { Split } from '../../data/split.ts';
import type { AnswerDims } from '../../knowledge/true-length.ts';
import { adamw } from '../../train/adamw.ts';
import { CHECKPOINTS_KEPT } from '../../train/checkpoint.ts';
import { trainingBatch } from '../batches/sample-batches.ts';
import { answerDims } from '../heads/answer-dims.ts';
import { labelTerms, teacherTerms } from '../heads/label-terms.ts';
import { hasLabels } from '../heads/recipe-heads.ts';
import { peerSteps } from '../training/peer-training.ts';
import { batchCount, lengthOf, stepRows } from './batch-counts.ts';
import { measureEvaluation } from './measure-evaluation.ts';
import { measureTraining } from './measure-training.ts';
import type { PlanningContext } from './planning-context.ts';
import { batchesInTurn, MEASURED_BATCHES, sampledBuckets } from './sampled-split.ts';
import { withScratchTaps } from './scratch-knowledge.ts';
import type { StagePlan } from './stage-plan.ts';
import { evaluationOf, trainingSeconds } from './training-seconds.ts';

/**
 * Training the linear peers, timed on the labels: a step towards a teacher's answers takes as long. Where only the teacher knows
 * what is true, answers that are made up take the labels' place.
 *
 * @param both whether there is one from the labels alone, too
 */
export function planPeers(context: PlanningContext, both: boolean): Promise<StagePlan> {
  const { title } = context.data.peer;
  return context.told('peer', `Time ${title}`, () => planPeerTrainings(context, both));
}

const NONE: ReadonlyMap<string, AnswerDims> = new Map();

async function planPeerTrainings(context: PlanningContext, both: boolean): Promise<StagePlan> {
  const { recipe, data, memory } = context;
  const { train, labelled, validation } = data.dataset.splits;
  const rowsOf = (split: Split) => stepRows(split, data.peer.batchSize(split.size));
  // Both are timed by the larger batch.
  const batchSize = rowsOf(train);
  const student = data.peer.build();
  const knowsTruth = hasLabels(recipe);
  const samples = sampledBuckets([knowsTruth ? labelled : train], MEASURED_BATCHES * batchSize);
  const dims = knowsTruth ? NONE : answerDims(student.graph, data.heads);
  const cost = await withScratchTaps(context.scratch, knowsTruth ? [] : samples, dims, (knowledge) =>
    measureTraining(context, {
      student,
      terms: knowsTruth ? labelTerms(data) : teacherTerms(data),
      optimizer: adamw(),
      totalSteps: peerSteps(batchCount(train, batchSize)),
      name: 'peer',
      variants: samples.map((sample) => {
        const name = `${lengthOf(sample.buckets[0]!)}`;
        const nextBatch = batchesInTurn(sample, batchSize);
        return {
          name,
          sizes: nextBatch().sizes,
          batch: () => ({ ...trainingBatch(nextBatch(), knowledge), variant: name }),
        };
      }),
    }),
  );
  const evaluation = evaluationOf(validation, await measureEvaluation(context, student, batchSize));
  const step = new Map([...cost.step].map(([name, seconds]) => [Number(name), seconds]));
  const stepsOf = (split: Split) => peerSteps(batchCount(split, rowsOf(split)));
  const splits = both ? [labelled, train] : [train];
  const seconds = splits
    .map((split) =>
      trainingSeconds({
        split,
        batchSize: rowsOf(split),
        epochs: stepsOf(split) / batchCount(split, rowsOf(split)),
        checkpointEverySeconds: recipe.training.checkpointEvery,
        step,
        cost,
        evaluation,
      }),
    )
    .reduce((sum, part) => sum + part, 0);
  return {
    stage: 'peer',
    seconds,
    secondsAtMost: seconds,
    memoryBytes: memory.take() + data.heldBytes,
    diskBytes: splits.length * CHECKPOINTS_KEPT * cost.checkpoint.bytes,
    note: `${splits.map(stepsOf).join(' and ')} steps for ${data.peer.title}`,
  };
}
