import { saturatesInt8 } from '../../compress/probe-saturation.ts';
import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import { modelBytes } from '../../export/package-folder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { join } from '../../platform/paths.ts';
import { randomStream } from '../../random.ts';
import type { DistillRecipe } from '../../recipe/schema.ts';
import { wantedPrecision } from '../../recipe/teacher-memory.ts';
import { buildClassifierHead } from '../../students/classifier-head.ts';
import { attachHead } from '../../teachers/classifier.ts';
import { headOutputs } from '../../teachers/head-outputs.ts';
import type { TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';
import { parameterTensors } from '../../train/step-graph.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { TaskData } from '../context/task.ts';
import { comparesAnswers, saysTokens } from '../heads/comparable-answers.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { withUntrainedHeads } from '../heads/untrained-heads.ts';
import { calibratedInt8 } from '../measuring/int8.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import { headTensors } from '../teaching/train-head.ts';
import { batchBytes } from './batch-bytes.ts';
import { type BatchSeconds, lengthOf } from './batch-counts.ts';
import { secondsPerBatch } from './batch-seconds.ts';
import type { PartsPlan } from './measure-parts.ts';
import type { PlanningContext } from './planning-context.ts';
import { firstRows, sampledBuckets } from './sampled-split.ts';
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

export interface TeacherCost {
  readonly f32: TeacherFileCost;
  /** null when the recipe wants none. Making it includes the calibration. */
  readonly int8: TeacherFileCost | null;
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
  const cameInInt8 = saysTokens(data.heads) && quantizableLayers(model).length === 0;
  if (wantedPrecision(recipe.teacher) === 'f32' || !comparesAnswers(data.heads) || cameInInt8)
    return { f32, int8: null, model };
  context.checkInterrupted();
  const int8 = await measureFile(context, source, join(scratch, 'teacher_int8.onnx'), async () => {
    const quantize = await calibratedInt8({
      engine,
      model: withOutputs(model, outputs),
      data,
      seed: recipe.seed,
      weights: { reduceRange: await saturatesInt8(engine) },
      checkInterrupted: context.checkInterrupted,
    });
    return quantize();
  });
  return { f32, int8, model };
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
      const firstOf = (rows: number) => firstRows(split, rows);
      if (teacher.parts) {
        const { openSeconds, seconds } = await (await parting()).measureParts(
          teacher.parts,
          firstOf(TEACHER_BATCH),
          context,
        );
        batch.set(lengthOf(split.buckets[0]!), seconds);
        partSeconds = openSeconds;
        continue;
      }
      const { seconds, isWhole } = await secondsPerBatch(
        (rows) => teacher.label(firstOf(rows), outputs),
        TEACHER_BATCH,
        context.checkInterrupted,
      );
      batch.set(lengthOf(split.buckets[0]!), seconds);
      memory.expect(isWhole ? 0 : batchBytes(made.value, firstOf(TEACHER_BATCH)));
    }
    const bytes = modelBytes(file);
    return {
      batch,
      file,
      makeSeconds: made.seconds,
      openSeconds: opened.seconds + partSeconds,
      bytes,
      ...(teacher.parts && { parts: (await parting()).partsPlan(teacher.parts) }),
    };
  } finally {
    await teacher.close();
  }
}

/** Loaded where it is used: pages do not pay for it. */
function parting() {
  return import('./measure-parts.ts');
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
  const { embeddingOutput, embeddingWidth } = source as TextTeacherSource;
  if (embeddingOutput === undefined || embeddingWidth === undefined)
    throw new Error(`${source.title} has no embedding`);
  const head = buildClassifierHead(
    { width: embeddingWidth, classes: dataset.labels.length, hidden: options.hidden },
    randomStream(seed, 'teacher-head'),
  );
  const initial = new Map(
    [...parameterTensors(head)].map(([name, { data }]) => [name, data as Float32Array]),
  );
  return attachHead(source.model, headTensors(head, initial), embeddingOutput);
}
