import { afterTraining } from '../../compress/transforms/apply-transforms.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { join } from '../../platform/paths.ts';
import { wantedPrecisions } from '../../recipe/export.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { CHECKPOINTS_KEPT } from '../../train/checkpoint.ts';
import { requireStudentForm } from '../compressing/require-student-form.ts';
import { transformsOf } from '../compressing/transforms-of.ts';
import type { Artifacts } from '../context/artifact.ts';
import { baselineEpochs, isCompared } from '../context/compared.ts';
import { EVALUATION_BATCH } from '../measuring/evaluation-batch.ts';
import { calibratedInt8 } from '../measuring/int8.ts';
import { SPEED_SECONDS } from '../measuring/measure-speed.ts';
import { furtherForms } from '../shipping/quantizer.ts';
import { shippedForm } from '../shipping/shipped-form.ts';
import { ANSWER_COST } from './answer-stages.ts';
import { type BucketSizes, batchCount, fillsBatches, lengthOf } from './batch-counts.ts';
import { EXIT_COST, HOSTED_COST, RUNTIME_COST, STUDENT_COST, TEACHER_COST } from './costs.ts';
import { exitSeconds } from './exit-seconds.ts';
import { folderBytes } from './folder-bytes.ts';
import { gateNote, gateSeconds } from './gate-seconds.ts';
import { measureStudent, type StudentCost, trainedBatch } from './measure-student.ts';
import { membersSeconds } from './members-costs.ts';
import type { PlanningContext } from './planning-context.ts';
import type { StagePlan } from './stage-plan.ts';
import { timed } from './timing.ts';
import { evaluationCount, evaluationOf, trainingSeconds } from './training-seconds.ts';

/** Training the student. */
export async function planStudent(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const { taught, data, memory } = context;
  const inner = costs.find(TEACHER_COST)?.inner;
  const cost = await context.told('train', 'Time the student', () => measureStudent(context, inner));
  const memoryBytes = memory.take() + data.heldBytes;
  costs.set(STUDENT_COST, { cost, memoryBytes });
  const writing = taught && context.recipe.training.onPolicy ? await writingSeconds(context, cost, costs) : 0;
  return planTraining(context, 'train', { cost, memoryBytes, withTeacher: taught, writing });
}

/** Seconds that a step takes on average for the texts of the student. */
async function writingSeconds(
  context: PlanningContext,
  { student }: StudentCost,
  costs: Artifacts,
): Promise<number> {
  // Loaded where it is used: pages do not pay for it.
  const { onPolicySeconds } = await import('./on-policy-seconds.ts');
  return context.told('train', 'Time the student as it writes', () =>
    onPolicySeconds(context, student, costs),
  );
}

/** Training its baseline. Without what the losses ask for, a step is another one. */
export async function planBaseline(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const cost = await context.told('baseline', 'Time the student without a teacher', () =>
    measureStudent({ ...context, taught: false, recipe: { ...context.recipe, compress: undefined } }),
  );
  const { memoryBytes } = costs.get(STUDENT_COST);
  return planTraining(context, 'baseline', { cost, memoryBytes, withTeacher: false });
}

/** The trainings of transforms, at most: each is of a smaller student than the one that was timed. */
export async function planCompress(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const { recipe, taught } = context;
  const after = afterTraining(transformsOf(recipe, []).items);
  await requireStudentForm(recipe, context.data);
  const epochs = after.reduce((sum, { transform, item }) => sum + (transform.epochs?.(item) ?? 0), 0);
  const plan = planTraining(context, 'compress', {
    ...costs.get(STUDENT_COST),
    withTeacher: taught,
    epochs,
  });
  const titles = after.map(({ transform }) => transform.title).join(', ');
  return { ...plan, note: `${titles}: ${plan.note} at most, as long as those of the student before` };
}

/** All epochs, which early stopping may cut short. */
export function planTraining(
  context: Pick<PlanningContext, 'recipe' | 'data'>,
  stage: 'train' | 'baseline' | 'compress',
  {
    cost,
    memoryBytes,
    withTeacher,
    epochs: given,
    writing = 0,
  }: {
    cost: StudentCost;
    memoryBytes: number;
    withTeacher: boolean;
    epochs?: number;
    /** Seconds of a step besides the step. */
    writing?: number;
  },
): StagePlan {
  const { recipe, data } = context;
  const { dataset } = data;
  const { earlyStopping, evaluateEvery, checkpointEvery } = recipe.training;
  const passes = given ?? (stage === 'baseline' ? baselineEpochs(recipe) : recipe.training.epochs);
  // Texts that the teacher writes lengthen epochs.
  const { written } = recipe.data;
  const longer = withTeacher && written ? written.part + (written.alone ? 0 : 1) : 1;
  const epochs = longer * passes;
  const samples = withTeacher ? dataset.splits.train : dataset.splits.labelled;
  const batchSize = trainedBatch(context, samples);
  const split = fillsBatches(samples) ? inFullBatches(samples, batchSize) : samples;
  const perEpoch = batchCount(split, batchSize);
  const secondsOf = (count: number) =>
    count * perEpoch * writing +
    trainingSeconds({
      split,
      batchSize,
      epochs: count,
      evaluateEvery,
      checkpointEverySeconds: checkpointEvery,
      step: cost.step,
      cost: cost.training,
      evaluation: evaluationOf(dataset.splits.validation, cost.evaluation),
    });
  // The soonest that patience can end is when nothing after the first evaluation was better.
  const fewest =
    earlyStopping && stage !== 'compress'
      ? Math.min(epochs, longer * (earlyStopping.patience + Math.min(1, evaluateEvery / perEpoch)))
      : epochs;
  const secondsAtMost = secondsOf(epochs);
  return {
    stage,
    seconds: (secondsOf(fewest) + secondsAtMost) / 2,
    secondsAtMost,
    memoryBytes:
      memoryBytes +
      memoryBeyondMeasured(split, dataset.splits.validation, {
        held: cost.training.held,
        evaluation: cost.evaluation.held,
        evaluations: evaluationCount(perEpoch, epochs, evaluateEvery),
      }),
    diskBytes: CHECKPOINTS_KEPT * cost.training.checkpoint.bytes,
    note:
      fewest < epochs
        ? `${Math.ceil(fewest * perEpoch)} to ${Math.ceil(epochs * perEpoch)} steps, as early stopping will have it: ` +
          `${secondsOf(fewest).toFixed(0)} to ${secondsAtMost.toFixed(0)} s`
        : `${Math.ceil(epochs * perEpoch)} steps`,
  };
}

/** What is left over at the end of an epoch waits for the next one. */
function inFullBatches({ buckets }: BucketSizes, rows: number): BucketSizes {
  return { buckets: buckets.map(({ size, ...shape }) => ({ ...shape, size: size - (size % rows) })) };
}

/**
 * A run holds a step and a probe of its gradients for every length, and a forward pass to evaluate; a plan fewer. Of each that a plan had
 * not, what it does not share with the longest counts; a short length holds as much less as it is shorter.
 */
export function memoryBeyondMeasured(
  split: BucketSizes,
  validation: BucketSizes,
  {
    held,
    evaluation,
    evaluations,
  }: {
    readonly held: StudentCost['training']['held'];
    readonly evaluation: StudentCost['evaluation']['held'];
    /** How often gradients are probed. */
    readonly evaluations: number;
  },
): number {
  const { lengths, bytesPerToken } = held;
  const sum = (all: readonly number[]) => all.reduce((tokens, length) => tokens + length, 0);
  const filled = ({ buckets }: BucketSizes) =>
    buckets.filter(({ size }) => size > 0).map((bucket) => lengthOf(bucket));
  const own = filled(split);
  const probed = sum(own) * Math.min(1, evaluations / Math.max(1, own.length));
  // One probe was held too.
  const more = Math.max(0, sum(own) + probed - sum(lengths) - Math.max(0, ...lengths));
  const evaluated = filled(validation);
  const others = sum(evaluated) - Math.max(0, ...evaluated);
  const evaluating = evaluated.length > 0 ? evaluation.longestBytes + others * evaluation.bytesPerToken : 0;
  return more * bytesPerToken + evaluating;
}

/** What the student is as files, measured by making them. */
export interface StudentFiles {
  readonly f32Bytes: number;
  /** The whole package: both models and what belongs to them. */
  readonly packageBytes: number;
  /** Seconds to write and to quantise. */
  readonly seconds: number;
}

async function measureStudentFiles(
  context: PlanningContext,
  { student }: StudentCost,
): Promise<StudentFiles> {
  const { recipe, engine, data, scratch, checkInterrupted } = context;
  const folder = join(scratch, 'student');
  checkInterrupted();
  const made = await timed(async () => {
    const model = shippedForm({ student });
    const quantize = recipe.export.int8
      ? await calibratedInt8({ engine, model, data, seed: recipe.seed, checkInterrupted })
      : undefined;
    data.writeStudent(folder, {
      model,
      quantized: quantize?.() ?? null,
      further: await furtherForms(recipe, { engine, model, data, seed: recipe.seed, checkInterrupted }),
      heads: data.heads,
    });
    return writeModel(model).length;
  });
  context.memory.observe();
  return { f32Bytes: made.value, packageBytes: folderBytes(folder), seconds: made.seconds };
}

/** Writing the student in both precisions; int8 is accepted by what it and float32 reach on the validation split. */
export async function planExport(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const { recipe, data, memory, taught, options } = context;
  const { cost } = costs.get(STUDENT_COST);
  const files = await context.told('export', 'Time the export', () => measureStudentFiles(context, cost));
  const baseline = taught && isCompared(recipe, options);
  const evaluation = evaluationOf(data.dataset.splits.validation, cost.evaluation);
  const smaller = (recipe.export.int8 ? 1 : 0) + wantedPrecisions(recipe.export).length;
  const exits = await exitSeconds(context, cost);
  if (exits) costs.set(EXIT_COST, exits);
  // Corrected biases are tried on the validation split.
  const { int8 } = recipe.export;
  const tried = int8 !== false && int8.correctBiases ? 2 : 0;
  const seconds = files.seconds + (2 * smaller + tried) * evaluation.seconds + (exits?.choosing ?? 0);
  return {
    stage: 'export',
    seconds,
    secondsAtMost: seconds,
    memoryBytes: memory.take(),
    diskBytes: files.packageBytes + (baseline ? files.f32Bytes : 0),
    note: filesNote(recipe),
  };
}

/** `float32, int8 and q4, if no layer has to stay in float32` */
function filesNote({ export: exported }: Recipe): string {
  const smaller = [
    ...(exported.int8 ? ['int8'] : []),
    ...wantedPrecisions(exported).map(({ precision }) => precision),
  ];
  if (smaller.length === 0) return 'float32';
  const last = smaller.pop();
  return `${['float32', ...smaller].join(', ')} and ${last}, if no layer has to stay in float32`;
}

/** Measuring on the test split, and asking the teacher about it. */
export async function planEvaluation(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const { recipe, data, memory, source, taught, options } = context;
  const { cost } = costs.get(STUDENT_COST);
  const answers = costs.find(ANSWER_COST);
  const hosted = costs.find(HOSTED_COST);
  // The peers are measured beside the baseline.
  const others = taught && isCompared(recipe, options) ? 3 : 0;
  const exits = costs.find(EXIT_COST);
  // A student with exits is measured without them, too.
  const students =
    1 + others + (recipe.export.int8 ? 1 : 0) + wantedPrecisions(recipe.export).length + (exits ? 1 : 0);
  const runtimes = costs.find(RUNTIME_COST) ?? [];
  const answering = evaluationOf(data.dataset.splits.test, cost.evaluation).seconds;
  const gates = gateSeconds(context, runtimes, answering);
  const seconds =
    evaluationSeconds(context, { cost, students, teachers: source ? 1 : 0 }) +
    (answers?.test.seconds ?? 0) +
    membersSeconds(context, costs) +
    (hosted?.test.seconds ?? 0) +
    (exits?.measuring ?? 0) +
    gates;
  const asked = answers
    ? `${answers.test.missing} test ${data.task.unit} to ask in f32`
    : hosted && hosted.test.missing > 0
      ? `${hosted.test.missing} test ${data.task.unit} to send`
      : '';
  return {
    stage: 'evaluate',
    seconds,
    secondsAtMost: seconds,
    memoryBytes: Math.max(costs.find(TEACHER_COST)?.memoryBytes ?? 0, memory.take()),
    diskBytes: answers?.test.diskBytes ?? 0,
    note: [asked, exits ? `the exits: ${exits.measuring.toFixed(1)} s` : '', gateNote(runtimes, gates)]
      .filter(Boolean)
      .join('; '),
  };
}

/** The seconds that all files take on the test split, and to be timed. */
export function evaluationSeconds(
  { data, options }: PlanningContext,
  { cost, students, teachers }: { cost: StudentCost; students: number; teachers: number },
): number {
  const { test } = data.dataset.splits;
  const { rows, batch, prepareSeconds } = cost.evaluation;
  const perText = evaluationOf(test, cost.evaluation).seconds / Math.max(1, batchCount(test, rows) * rows);
  const texts = batchCount(test, EVALUATION_BATCH) * EVALUATION_BATCH;
  const timing = 2 * (options.timingSeconds ?? SPEED_SECONDS) * (students + teachers);
  return students * (texts * perText + Math.min(1, batch.size) * prepareSeconds) + timing;
}
