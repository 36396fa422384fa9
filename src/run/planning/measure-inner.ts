import { join } from 'node:path';
import { estimateBytes } from '../../knowledge/estimate.ts';
import type { KnowledgeStore } from '../../knowledge/store.ts';
import { knowledgeRequests } from '../../objectives/index.ts';
import type { ObjectiveContext } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { SEQUENCE, tapTeacher } from '../../teachers/tap-teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { withoutSchedules } from '../decided-temperature.ts';
import { describePair } from '../describe-pair.ts';
import { layerMap } from '../pair-context.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { lengthOf, secondsForSplit } from './batch-counts.ts';
import type { PlanningContext } from './planning-context.ts';
import { sampledBucket, sampledBuckets } from './sampled-split.ts';
import { storedAnswers } from './stored-answers.ts';
import { secondsPerCall } from './timing.ts';

/** What the recipe's losses ask of the teacher besides its classes. */
export interface InnerKnowledge {
  readonly context: ObjectiveContext;
  /** The shape of each tap, for a text of so many tokens. */
  dims(length: number): ReadonlyMap<string, readonly number[]>;
  /** Training samples that the store lacks an answer for; seconds and disk for them. 0 where nothing is asked. */
  readonly missing: number;
  readonly seconds: number;
  readonly diskBytes: number;
}

/**
 * Finds out what the losses look into, and times the teacher's answers to that.
 *
 * @param stored the store, and the hash of the float32 teacher where a run has told it
 */
export async function measureInner(
  context: PlanningContext,
  source: TeacherSource,
  teacher: Graph,
  stored: { readonly store: KnowledgeStore; readonly hash: string | undefined },
): Promise<InnerKnowledge> {
  const { recipe, data, scratch } = context;
  const { asked, dataset, task } = data;
  const classes = dataset.labels.length;
  const pair = describePair(recipe.knowledge, data.buildStudent().graph, teacher);
  const layers = layerMap(recipe.knowledge.layers, pair.student, pair.teacher);
  const known: ObjectiveContext = { classes, models: { ...pair, layers }, teacherGraph: teacher };
  const requests = knowledgeRequests(withoutSchedules(recipe.objective), known);
  const tapped = tapTeacher(teacher, requests);
  const dims = (length: number) =>
    new Map(
      [...tapped.dims].map(([tap, shape]) => [tap, shape.map((dim) => (dim === SEQUENCE ? length : dim))]),
    );
  if (requests.length === 0) return { context: known, dims, missing: 0, seconds: 0, diskBytes: 0 };
  const taps = requests.map(({ tap }) => tap);
  const file = join(scratch, 'teacher_tapped.onnx');
  writeModelFile(file, tapped.graph);
  const batch = new Map<number, number>();
  for (const sample of sampledBuckets([asked], TEACHER_BATCH)) {
    context.checkInterrupted();
    const indices = Array.from({ length: sample.size }, (_, i) => i);
    const samples = sample.readBatch(0, indices, TEACHER_BATCH);
    const { length: sequence } = sample.buckets[0]!;
    const labeller = await openLabeller(context, task, file, source.title, { sequence });
    try {
      const call = () => labeller.label(samples, taps);
      batch.set(lengthOf(sample.buckets[0]!), await secondsPerCall(call, context.checkInterrupted));
      context.memory.observe();
    } finally {
      await labeller.close();
    }
  }
  const { preprocessing } = task;
  let diskBytes = 0;
  const missing: { length?: number; size: number }[] = [];
  for (const [bucket, { size, ...shapeOf }] of asked.buckets.entries()) {
    if (size === 0) continue;
    const samples = sampledBucket(asked, bucket, size);
    let most = 0;
    for (const [tap, shape] of dims(lengthOf(shapeOf))) {
      const query = { teacher: stored.hash, tap, preprocessing, dims: shape };
      const answers = await storedAnswers(stored.store, samples, query, context.checkInterrupted);
      most = Math.max(most, answers.missing);
      if (answers.missing > 0) diskBytes += estimateBytes(answers.missing, shape, 'float16');
    }
    missing.push({ ...shapeOf, size: most });
  }
  return {
    context: known,
    dims,
    missing: missing.reduce((sum, { size }) => sum + size, 0),
    seconds: secondsForSplit({ buckets: missing }, TEACHER_BATCH, batch),
    diskBytes,
  };
}
