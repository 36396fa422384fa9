import { exitTerms } from '../../compress/exits/exit-terms.ts';
import { duringTraining } from '../../compress/transforms/apply-transforms.ts';
import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { objectiveTerms } from '../../objectives/index.ts';
import type { Student } from '../../students/student.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { trainingBatch } from '../batches/sample-batches.ts';
import { withTowerKnowledge } from '../batches/tower-knowledge.ts';
import { transformsOf } from '../compressing/transforms-of.ts';
import { gradientLimit } from '../context/gradient-limit.ts';
import { answerDims } from '../heads/answer-dims.ts';
import { labelTerms, outputContext } from '../heads/label-terms.ts';
import { withoutSchedules } from '../training/decided-temperature.ts';
import { batchCount, lengthOf, stepRows } from './batch-counts.ts';
import { type EvaluationCost, measureEvaluation } from './measure-evaluation.ts';
import type { InnerKnowledge } from './measure-inner.ts';
import { type MeasuredVariant, measureTraining, type TrainingCost } from './measure-training.ts';
import type { PlanningContext } from './planning-context.ts';
import { batchesInTurn, MEASURED_BATCHES, sampledBuckets } from './sampled-split.ts';
import { withScratchTaps } from './scratch-knowledge.ts';
export interface StudentCost {
  readonly student: Student;
  readonly training: TrainingCost;
  /** Seconds of a training step, by length. */
  readonly step: ReadonlyMap<number, number>;
  readonly evaluation: EvaluationCost;
}

/**
 * Times the recipe's student: its training step for a few lengths, and its evaluation.
 *
 * @param inner what its losses ask of the teacher besides its classes
 */
export async function measureStudent(context: PlanningContext, inner?: InnerKnowledge): Promise<StudentCost> {
  const { recipe, data, taught, scratch } = context;
  const { optimizer, accumulate } = recipe.training;
  const steps = duringTraining(data.buildStudent(), transformsOf(recipe, data.heads));
  const { student } = steps;
  const { train, labelled } = data.dataset.splits;
  const batchSize = trainedBatch(context, taught ? train : labelled);
  const samples = sampledBuckets([taught ? data.asked : labelled], MEASURED_BATCHES * batchSize);
  const terms = taught
    ? objectiveTerms(withoutSchedules(recipe.objective), inner?.context ?? outputContext(data))
    : labelTerms(context.data, recipe.objective);
  const dims = new Map([...answerDims(student.graph, data.heads), ...(inner?.dims ?? [])]);
  const training = await withScratchTaps(scratch, taught ? samples : [], dims, (knowledge) =>
    measureTraining(context, {
      student,
      terms: [...terms, ...steps.terms, ...exitTerms(student.graph, terms)],
      optimizer: createOptimizer(optimizer),
      ...gradientLimit(recipe.training),
      accumulate,
      totalSteps: recipe.training.epochs * batchCount(taught ? train : labelled, batchSize),
      name: taught ? 'student' : 'baseline',
      variants: samples.map((sample) => variantOf(sample, taught ? knowledge : undefined)),
    }),
  );
  const evaluation = await measureEvaluation(context, student, batchSize);
  const step = new Map([...training.step].map(([name, seconds]) => [Number(name), seconds]));
  return { student: steps.finish(student), training, step, evaluation };

  function variantOf(sample: Split, knowledge: ReadonlyMap<string, LabelSpace> | undefined): MeasuredVariant {
    const name = `${lengthOf(sample.buckets[0]!)}`;
    const nextBatch = batchesInTurn(sample, batchSize);
    return {
      name,
      sizes: nextBatch().sizes,
      batch: () => ({
        ...withTowerKnowledge(data.heads, trainingBatch(nextBatch(), knowledge)),
        variant: name,
      }),
    };
  }
}

/** Rows of the student's training step. */
export function trainedBatch({ recipe }: Pick<PlanningContext, 'recipe'>, split: Split): number {
  return stepRows(split, recipe.training.batchSize);
}
