import type { Split } from '../../data/split.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { randomStream } from '../../random.ts';
import type { TextDistillRecipe } from '../../recipe/schema.ts';
import { buildHead } from '../../students/build-head.ts';
import { buildClassifierHead } from '../../students/classifier-head.ts';
import type { Student } from '../../students/student.ts';
import type { Head } from '../../targets/head.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { adamw } from '../../train/adamw.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import { batchesByBucket } from '../batches/training-data.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { labelTerms } from '../heads/label-terms.ts';
import { WHOLE_GRAD_NORM, wholeStudent } from '../teaching/fine-tune.ts';
import { batchCount, lengthOf } from './batch-counts.ts';
import { type MeasuredVariant, measureTraining, type TrainingCost } from './measure-training.ts';
import type { PlanningContext } from './planning-context.ts';
import { batchesInTurn, MEASURED_BATCHES, sampledBucket, sampledBuckets } from './sampled-split.ts';
import { withScratchKnowledge } from './scratch-knowledge.ts';
/** Times the training of a head on embeddings that lie in the store. */
export async function measureHeadTraining(
  context: PlanningContext,
  recipe: TextDistillRecipe,
  source: TextTeacherSource,
): Promise<TrainingCost> {
  const { scratch } = context;
  const { dataset, heads } = context.data;
  const main = heads[0] as Head;
  const { batchSize, hidden, epochs } = recipe.teacher.head;
  const width = source.embeddingWidth as number;
  const random = randomStream(recipe.seed, 'teacher-head');
  const head = isOneClass(heads)
    ? buildClassifierHead({ width, classes: dataset.labels.length, hidden }, random)
    : buildHead(main, { width, hidden }, random);
  const sample = fullestBucket(dataset.splits.labelled, MEASURED_BATCHES * batchSize);
  return withScratchKnowledge(
    scratch,
    [sample],
    { tap: source.embeddingOutput as string, dims: [width], encoding: 'float32' },
    (space) => {
      const nextBatch = batchesInTurn(sample, batchSize);
      return measureTraining(context, {
        student: head,
        terms: labelTerms({ dataset, heads: [main] }),
        optimizer: adamw(),
        totalSteps: epochs * batchCount(dataset.splits.labelled, batchSize),
        name: 'head',
        variants: [
          {
            name: 'head',
            sizes: { batch: batchSize },
            batch: () => {
              const batch = nextBatch();
              return {
                variant: 'head',
                rows: batch.filled,
                feeds: { ...batch.columns, embedding: readKnowledge(space, batch) },
              };
            },
          },
        ],
      });
    },
  );
}

/** Times the training of all of the teacher's weights. */
export async function measureWholeTraining(
  context: PlanningContext,
  recipe: TextDistillRecipe,
  teacher: Pick<TextTeacherSource, 'model' | 'constants'>,
): Promise<{ readonly cost: TrainingCost; readonly student: Student }> {
  const { labelled } = context.data.dataset.splits;
  const { batchSize, epochs } = recipe.teacher.whole;
  const student = wholeStudent(teacher);
  const variants = sampledBuckets([labelled as TextSplit], MEASURED_BATCHES * batchSize).map(
    (split): MeasuredVariant => {
      const length = lengthOf(split.buckets[0]!);
      const batches = batchesByBucket({ split, batchSize, seed: recipe.seed });
      let next = 0;
      return {
        name: `${length}`,
        sizes: { batch: batchSize, sequence: length },
        batch: () => batches.batch({ epoch: 0, index: next++ % batches.batchesPerEpoch }),
      };
    },
  );
  const cost = await measureTraining(context, {
    student,
    terms: labelTerms(context.data),
    optimizer: adamw(),
    maxGradNorm: WHOLE_GRAD_NORM,
    totalSteps: epochs * batchCount(labelled, batchSize),
    name: 'whole',
    variants,
  });
  return { cost, student };
}

function fullestBucket(split: Split, samples: number): Split {
  let fullest = 0;
  split.buckets.forEach(({ size }, bucket) => {
    if (size > split.buckets[fullest]!.size) fullest = bucket;
  });
  return sampledBucket(split, fullest, samples);
}
