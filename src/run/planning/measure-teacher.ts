import { saturatesInt8 } from '../../compress/probe-saturation.ts';
import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import { modelBytes } from '../../export/package-folder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { join } from '../../platform/paths.ts';
import type { DistillRecipe } from '../../recipe/schema.ts';
import { wantedPrecision } from '../../recipe/teacher-memory.ts';
import { headOutputs } from '../../teachers/head-outputs.ts';
import type { TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { TaskData } from '../context/task.ts';
import { comparesAnswers } from '../heads/comparable-answers.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { withUntrainedHeads } from '../heads/untrained-heads.ts';
import { CALIBRATION_SAMPLES, calibratedInt8 } from '../measuring/int8.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import { untrainedClassifier } from '../teaching/untrained-teacher.ts';
import { type BatchSeconds, lengthOf, secondsForSamples } from './batch-counts.ts';
import { labelSeconds } from './label-seconds.ts';
import type { PartsPlan } from './measure-parts.ts';
import type { PlanningContext } from './planning-context.ts';
import { sampledBuckets } from './sampled-split.ts';
import { timed } from './timing.ts';
/** What one model file of the teacher costs. */
export interface TeacherFileCost {
  /** Seconds of a batch of TEACHER_BATCH samples. */
  readonly batch: BatchSeconds;
  /** Where it was made, for the time of the plan. */
  readonly file: string;
  readonly makeSeconds: number;
  readonly openSeconds: number;
  readonly bytes: number;
  /** Of a teacher that is asked in parts. */
  readonly parts?: PartsPlan;
}

export interface Int8FileCost extends TeacherFileCost {
  /** Whether its ranges were found on the samples on which a run finds them: then it is the run's file, bit by bit. */
  readonly isRuns: boolean;
}

export interface TeacherCost {
  readonly f32: TeacherFileCost;
  /** null when the recipe wants none. Making it includes the calibration. */
  readonly int8: Int8FileCost | null;
  /** The float32 model with a head that was not trained, for what else is measured on it. */
  readonly model: Graph;
}

/** Times the teacher on a few batches of every length: in float32, and in int8 if it may label so. */
export async function measureTeacher(
  context: PlanningContext,
  recipe: DistillRecipe,
  source: TeacherSource,
): Promise<TeacherCost> {
  const { engine, scratch } = context;
  const data = asTeacherReads(context.data);
  const model = untrainedTeacher(source, recipe, data);
  const outputs = data.heads.map(({ output }) => output);
  const f32 = await measureFile(context, source, join(scratch, 'teacher.onnx'), () =>
    withOutputs(model, outputs),
  );
  const cameInInt8 = quantizableLayers(model).length === 0;
  if (wantedPrecision(recipe.teacher) === 'f32' || !comparesAnswers(data.heads) || cameInInt8)
    return { f32, int8: null, model };
  context.checkInterrupted();
  const { train } = data.dataset.splits;
  const all = Math.min(CALIBRATION_SAMPLES, train.size);
  const samples = samplesToCalibrate(all, secondsForSamples(train, TEACHER_BATCH, f32.batch) / train.size);
  let calibrating = 0;
  const int8 = await measureFile(context, source, join(scratch, 'teacher_int8.onnx'), async () => {
    const quantize = await calibratedInt8({
      engine,
      model: withOutputs(model, outputs),
      data,
      seed: recipe.seed,
      weights: { reduceRange: await saturatesInt8(engine) },
      samples,
      onBatch: ({ seconds }) => {
        calibrating += seconds;
      },
      checkInterrupted: context.checkInterrupted,
    });
    return quantize();
  });
  const makeSeconds = int8.makeSeconds + (calibrating / samples) * (all - samples);
  return { f32, int8: { ...int8, makeSeconds, isRuns: samples === all }, model };
}

/** Answers to samples that ranges are found on may take this long: what int8 takes does not depend on its ranges. */
const CALIBRATION_SECONDS = 2;

/** On how many of `all` samples ranges are found to time int8, where float32 takes so many seconds a sample. */
export function samplesToCalibrate(all: number, secondsEach: number): number {
  return Math.max(1, Math.min(all, Math.floor(CALIBRATION_SECONDS / Math.max(secondsEach, 1e-9))));
}

async function measureFile(
  context: PlanningContext,
  source: TeacherSource,
  file: string,
  make: () => Graph | Promise<Graph>,
): Promise<TeacherFileCost> {
  const { memory } = context;
  const data = asTeacherReads(context.data);
  const { train, validation, test } = data.dataset.splits;
  const outputs = data.heads.map(({ output }) => output);
  const made = await timed(async () => {
    const graph = await make();
    writeModelFile(file, graph);
    return graph;
  });
  memory.observe();
  context.checkInterrupted();
  const bound = memoryBound(context, data, file);
  const opened = await timed(() => openLabeller(context, data.task, file, source.title, { bound }));
  const teacher = opened.value;
  try {
    const batch = new Map<number, number>();
    let partSeconds = 0;
    for (const split of sampledBuckets([train, validation, test], TEACHER_BATCH)) {
      const asked = { graph: made.value, taps: outputs };
      const { openSeconds, seconds } = await labelSeconds(context, teacher, split, asked);
      batch.set(lengthOf(split.buckets[0]!), seconds);
      partSeconds = openSeconds;
    }
    const bytes = modelBytes(file);
    return {
      batch,
      file,
      makeSeconds: made.seconds,
      openSeconds: opened.seconds + partSeconds,
      bytes,
      // Loaded where it is used: pages do not pay for it.
      ...(teacher.parts && { parts: (await import('./measure-parts.ts')).partsPlan(teacher.parts) }),
    };
  } finally {
    await teacher.close();
  }
}

/** The teacher as it will be but for the numbers in its head, which cost nothing to have right. */
function untrainedTeacher(
  source: TeacherSource,
  { teacher, seed }: DistillRecipe,
  { heads, dataset }: TaskData,
): Graph {
  const classifies = isOneClass(heads);
  if (!('train' in teacher) || teacher.train === 'none')
    return classifies ? source.model : headOutputs(source.model, heads, source);
  const { head: options } = teacher;
  if (!classifies) return withUntrainedHeads(source as TextTeacherSource, heads, options.hidden, seed);
  const { hidden } = options;
  return untrainedClassifier(source as TextTeacherSource, { classes: dataset.labels.length, hidden, seed });
}
