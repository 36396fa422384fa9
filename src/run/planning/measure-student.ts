import type { TokenSplit } from '../../data/token-split.ts';
import { TapSpaces } from '../../knowledge/tap-spaces.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { objectiveTerms } from '../../objectives/index.ts';
import type { Student } from '../../students/student.ts';
import { LOGITS } from '../../teachers/teacher-source.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { withoutSchedules } from '../decided-temperature.ts';
import { buildTextStudent } from '../tasks/text-classification.ts';
import { textBatches } from '../text-batches.ts';
import { type EvaluationCost, measureEvaluation } from './measure-evaluation.ts';
import type { InnerKnowledge } from './measure-inner.ts';
import { type MeasuredVariant, measureTraining, type TrainingCost } from './measure-training.ts';
import type { PlanningContext } from './planning-context.ts';
import { MEASURED_BATCHES, sampledBuckets } from './sampled-split.ts';
import { withScratchKnowledge, withScratchTaps } from './scratch-knowledge.ts';

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
  const { recipe, dataset, tokenizer, source, scratch } = context;
  const { batchSize, maxGradNorm, tokenDropout, optimizer } = recipe.training;
  const classes = dataset.labels.length;
  const student = buildTextStudent(recipe, tokenizer, classes);
  const split = source ? dataset.splits.train : dataset.splits.labelled;
  const samples = sampledBuckets([split], MEASURED_BATCHES * batchSize);
  const terms = source
    ? objectiveTerms(withoutSchedules(recipe.objective), inner?.context ?? { classes })
    : [labelsTerm({ weight: 1 })];
  const training = await withScratchKnowledge(
    scratch,
    source ? samples : [],
    { tap: LOGITS, dims: [classes], encoding: 'float16' },
    (space) =>
      withScratchTaps(
        scratch,
        source ? samples : [],
        (length) => inner?.dims(length) ?? new Map(),
        (spacesOf) =>
          measureTraining(context, {
            student,
            terms,
            optimizer: createOptimizer(optimizer),
            maxGradNorm,
            name: 'student',
            variants: samples.map((sample) => {
              const taps = spacesOf.get(sample) ?? new Map<string, TapSpaces>();
              return variantOf(sample, source && new Map([[LOGITS, TapSpaces.of(space)], ...taps]));
            }),
          }),
      ),
  );
  const evaluation = await measureEvaluation(context, student, batchSize);
  const step = new Map([...training.step].map(([name, seconds]) => [Number(name), seconds]));
  return { student, training, step, evaluation };

  function variantOf(
    sample: TokenSplit,
    knowledge: Parameters<typeof textBatches>[0]['knowledge'],
  ): MeasuredVariant {
    const { length } = sample.buckets[0]!;
    const batches = textBatches({
      split: sample,
      batchSize,
      seed: recipe.seed,
      tokenDropout: { fraction: tokenDropout, unkId: tokenizer.unkId },
      knowledge,
    });
    let next = 0;
    return {
      name: `${length}`,
      sizes: { batch: batchSize, sequence: length },
      batch: () => batches.batch(0, next++ % batches.batchesPerEpoch),
    };
  }
}
