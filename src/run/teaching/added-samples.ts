import { type BoundarySample, chooseMixtures } from '../../data/added/choose-mixtures.ts';
import { DisturbedSplit } from '../../data/added/disturbed-split.ts';
import { MixedSplit } from '../../data/added/mixed-split.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { askedOf, innerOutput } from '../../objectives/inner-output.ts';
import { randomStream } from '../../random.ts';
import type { DecisionBoundary } from '../../targets/inner/inner-knowledge.ts';
import { type AttackOptions, adversarialDisturbance } from '../../teachers/adversarial-disturbance.ts';
import { bucketBatches, chosenBatches, readKnowledge } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { outputContext } from '../heads/label-terms.ts';
import { tapSamples } from './label-taps.ts';
import type { TrainedTeacher } from './trained-teacher.ts';

/** What the teacher's answer to a sample says of its place: the smaller the margin, the nearer the boundary. */
interface Margin extends BoundarySample {
  /** Of one class: the probability of the first class less that of the second. */
  readonly margin: number;
}

/**
 * Samples that are added to the training set because the teacher decides narrowly about them: mixtures of samples near its
 * decision boundary (`data.mixup`), and samples that an attack has pushed towards it (`data.adversarial`). None has a label;
 * the teacher is asked about them like about all others.
 *
 * @param answers the teacher's answers of the main output for the training samples
 */
export async function addedSamples(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  answers: LabelSpace,
): Promise<Split[]> {
  const { mixup, adversarial } = run.recipe.data;
  if (!mixup && !adversarial) return [];
  const about = innerOutput(undefined, outputContext(data));
  const boundary = askedOf(about, 'boundary', mixup ? 'data.mixup' : 'data.adversarial');
  const margins = [...marginsOf(data.asked, answers, boundary)].sort((a, b) => a.margin - b.margin);
  const added: Split[] = [];
  if (mixup) {
    const near = margins.slice(0, Math.max(2, Math.round(mixup.boundary * margins.length)));
    const count = Math.round(mixup.part * margins.length);
    const random = randomStream(run.recipe.seed, 'mixup');
    const mixtures = chooseMixtures({ near, count, alpha: mixup.alpha, random });
    if (mixtures.length < count)
      run.warn(
        `only ${mixtures.length} of ${count} mixtures could be made: the teacher answers too much alike`,
      );
    added.push(new MixedSplit(data.asked, mixtures));
  }
  if (adversarial) {
    const attack = { ...adversarial, output: about.output, margin: boundary.margin };
    added.push(await disturbed(run, data, teacher, margins, attack));
  }
  return added.filter(({ size }) => size > 0);
}

/** The images nearest to the boundary, pushed over it as far as the recipe allows. */
async function disturbed(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  margins: readonly Margin[],
  options: NonNullable<RunContext['recipe']['data']['adversarial']> &
    Pick<AttackOptions, 'output' | 'margin'>,
): Promise<Split> {
  const { pixelRange } = data;
  if (!pixelRange) {
    throw new LimbeckError('recipe.invalid', 'texts have no pixels that could be disturbed', {
      where: 'data.adversarial',
      remedy: 'Attack token embeddings inside the training step instead: objective.boundary.',
    });
  }
  const chosen = margins.slice(0, Math.round(options.part * margins.length)).map(({ index }) => index);
  chosen.sort((a, b) => a - b);
  const request = adversarialDisturbance({ ...options, ...pixelRange });
  const { spaces } = await tapSamples(run, data, teacher, [request], {
    name: 'attacking the teacher',
    batches: (rows) => chosenBatches(data.asked, 0, chosen, rows),
  });
  const space = spaces.get(request.tap)!;
  return new DisturbedSplit(
    data.asked as Split as Split,
    chosen,
    (keys, to) => space.read(keys, to),
    request.tap,
  ) as Split as Split;
}

const ROWS = 256;

function* marginsOf(split: Split, answers: LabelSpace, { decided }: DecisionBoundary): Generator<Margin> {
  for (const bucket of split.buckets.keys()) {
    let index = 0;
    for (const batch of bucketBatches(split, bucket, ROWS)) {
      const { data, dims } = readKnowledge(answers, batch);
      const width = dims[1] as number;
      for (let row = 0; row < batch.filled; row++) {
        const answer = (data as Float32Array).subarray(row * width, (row + 1) * width);
        yield { bucket, index: index++, ...decided(answer) };
      }
    }
  }
}
