import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { randomStream } from '../../random.ts';
import type { TextDistillRecipe } from '../../recipe/schema.ts';
import { buildClassifierHead } from '../../students/classifier-head.ts';
import { attachHead } from '../../teachers/classifier.ts';
import { LOGITS, type TextTeacherSource } from '../../teachers/teacher-source.ts';
import { parameterTensors } from '../../train/step-graph.ts';
import { calibratedInt8 } from '../int8.ts';
import { openLabeller, TEACHER_BATCH, textLabelling } from '../teaching/ask-teacher.ts';
import { headTensors } from '../teaching/train-head.ts';
import type { BatchSeconds } from './batch-counts.ts';
import { calibrated } from './calibrated.ts';
import type { PlanningContext } from './planning-context.ts';
import { sampledBuckets } from './sampled-split.ts';
import { secondsPerCall, timed } from './timing.ts';

/** What one model file of the teacher costs. */
export interface TeacherFileCost {
  /** Seconds of a batch of TEACHER_BATCH texts. */
  readonly batch: BatchSeconds;
  readonly makeSeconds: number;
  readonly openSeconds: number;
  readonly bytes: number;
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
  recipe: TextDistillRecipe,
  source: TextTeacherSource,
): Promise<TeacherCost> {
  const { dataset, engine, scratch } = context;
  const model = untrainedClassifier(source, recipe, dataset.labels.length);
  const f32 = await measureFile(context, source, join(scratch, 'teacher.onnx'), () =>
    withOutputs(model, [LOGITS]),
  );
  if (recipe.teacher.precision === 'f32') return { f32, int8: null, model };
  context.checkInterrupted();
  const int8 = await measureFile(context, source, join(scratch, 'teacher_int8.onnx'), async () => {
    const quantize = await calibratedInt8({
      engine,
      model: withOutputs(model, [LOGITS]),
      data: calibrated(context),
      seed: recipe.seed,
      checkInterrupted: context.checkInterrupted,
    });
    return quantize();
  });
  return { f32, int8, model };
}

async function measureFile(
  context: PlanningContext,
  source: TextTeacherSource,
  file: string,
  make: () => Graph | Promise<Graph>,
): Promise<TeacherFileCost> {
  const { dataset, memory } = context;
  const { train, validation, test } = dataset.splits;
  const made = await timed(async () => writeModelFile(file, await make()));
  memory.observe();
  context.checkInterrupted();
  const opened = await timed(() =>
    openLabeller(context, textLabelling(source, context.recipe.data.maxLength), file, source.title),
  );
  const teacher = opened.value;
  try {
    const batch = new Map<number, number>();
    for (const split of sampledBuckets([train, validation, test], TEACHER_BATCH)) {
      const texts = split.readBatch(
        0,
        Array.from({ length: split.size }, (_, i) => i),
        TEACHER_BATCH,
      );
      batch.set(
        texts.length,
        await secondsPerCall(() => teacher.label(texts, [LOGITS]), context.checkInterrupted),
      );
      memory.observe();
    }
    return { batch, makeSeconds: made.seconds, openSeconds: opened.seconds, bytes: statSync(file).size };
  } finally {
    await teacher.close();
  }
}

/** The teacher as it will be but for the numbers in its head, which cost nothing to have right. */
function untrainedClassifier(source: TextTeacherSource, recipe: TextDistillRecipe, classes: number): Graph {
  const { train, head: options } = recipe.teacher;
  const { embeddingOutput, embeddingWidth } = source;
  if (train === 'none') return source.model;
  if (embeddingOutput === undefined || embeddingWidth === undefined)
    throw new Error(`${source.title} has no embedding`);
  const head = buildClassifierHead(
    { width: embeddingWidth, classes, hidden: options.hidden },
    randomStream(recipe.seed, 'teacher-head'),
  );
  const initial = new Map(
    [...parameterTensors(head)].map(([name, { data }]) => [name, data as Float32Array]),
  );
  return attachHead(source.model, headTensors(head, initial), embeddingOutput);
}
