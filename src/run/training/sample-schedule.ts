import type { Bucketed } from '../../data/batches/batch-order.ts';
import { admittedPart, EasiestFirst } from '../../data/batches/curriculum.ts';
import { type Admitted, curriculumOrder } from '../../data/batches/curriculum-order.ts';
import { innerOutput } from '../../objectives/inner-output.ts';
import type { Head } from '../../targets/head.ts';
import { observeAnswers } from '../../train/observe-answers.ts';
import { SampleDynamics } from '../../train/sample-dynamics.ts';
import { weighedByVariability } from '../../train/variability-weights.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { outputContext } from '../heads/label-terms.ts';
import type { Lessons } from '../teaching/lessons.ts';
import type { PlainTraining, TrainingPlan } from './planned-training.ts';
import { writeDynamics } from './sample-dynamics.ts';
import { teacherDifficulty } from './teacher-difficulty.ts';

/** What training does sample by sample: follows them, lets the easy ones in first, weighs them, as the recipe says. */
export async function sampleSchedule(
  run: RunContext,
  data: TaskData,
  lessons: Lessons | null,
  plain: PlainTraining,
): Promise<TrainingPlan> {
  const { curriculum, dynamics } = run.recipe.training;
  const { dataset } = data;
  const split = lessons ? dataset.splits.train : dataset.splits.labelled;
  const { size: samples } = split;
  const about = innerOutput(undefined, outputContext(data));
  // Samples that were added have their ordinals behind those of all views.
  const limit = lessons ? data.asked.size : undefined;
  const follower = dynamics
    ? new SampleDynamics({
        samples,
        limit,
        stepsPerEpoch: plain.batches.batchesPerEpoch,
        frozen: dynamics.weigh || curriculum.kind === 'dynamics',
        judged: about.inner.judged,
      })
    : undefined;
  const admittedOf = await admission(run, data, lessons, follower);
  const ordered = admittedOf
    ? plain.batchesIn((buckets, batchSize, seed) =>
        curriculumOrder(buckets, batchSize, seed, admittedOf(buckets, batchSize)),
      )
    : plain.batches;
  if (!follower || !dynamics) return { controls: [], batches: ordered };
  return {
    controls: [follower],
    observe: (g, inputs) => observeAnswers(g, inputs, { about, teacher: lessons !== null }),
    batches: dynamics.weigh ? weighedByVariability(ordered, follower, { samples, limit }) : ordered,
    finish: () =>
      writeDynamics(run, {
        head: data.heads[0] as Head,
        split,
        table: follower.table(),
        ...(lessons ? { answers: lessons.answers, asked: data.asked } : {}),
      }),
  };
}

/** Which samples the recipe's curriculum lets in; undefined for all of them always. */
async function admission(
  run: RunContext,
  data: TaskData,
  lessons: Lessons | null,
  follower: SampleDynamics | undefined,
): Promise<((split: Bucketed, batchSize: number) => Admitted) | undefined> {
  const { curriculum, epochs } = run.recipe.training;
  if (curriculum.kind === 'none') return undefined;
  const pacing = { start: curriculum.start, epochs: curriculum.epochs ?? epochs / 2 };
  const countOf = (size: number, part: number, batchSize: number) =>
    Math.min(size, Math.max(batchSize, Math.round(part * size)));
  if (curriculum.kind === 'teacher-confidence') {
    if (!lessons) {
      run.warn('the curriculum teacher-confidence takes a teacher: training on labels alone goes without it');
      return undefined;
    }
    const difficulty = await teacherDifficulty(run, data, lessons.answers);
    return (split, batchSize) => {
      const order = new EasiestFirst(split, difficulty);
      return (epoch) => {
        const part = admittedPart(pacing, epoch);
        return part < 1 ? order.first(countOf(order.size, part, batchSize)) : null;
      };
    };
  }
  const { buckets } = lessons ? data.dataset.splits.train : data.dataset.splits.labelled;
  return (split, batchSize) => (epoch) => {
    // The first epoch looks at every sample; pacing begins after it.
    const part = epoch === 0 ? 1 : admittedPart(pacing, epoch - 1);
    const known = part < 1 ? follower?.atEpoch(epoch) : null;
    if (!known) return null;
    const difficulty = byBucket(
      buckets,
      known.confidence.map((confidence) => 1 - confidence),
    );
    const order = new EasiestFirst(split, difficulty);
    return order.first(countOf(order.size, part, batchSize));
  };
}

/** Values by ordinal as parts of each bucket. */
function byBucket(buckets: Bucketed['buckets'], values: Float32Array): Float32Array[] {
  let end = 0;
  return buckets.map(({ size }) => {
    end += size;
    return values.subarray(end - size, end);
  });
}
