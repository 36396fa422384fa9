import { estimateBytes, estimateLengthBytes } from '../../knowledge/estimate.ts';
import type { KnowledgeStore } from '../../knowledge/store.ts';
import { type AnswerDims, hasLength } from '../../knowledge/true-length.ts';
import { knowledgeRequests } from '../../objectives/index.ts';
import type { ObjectiveContext } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { join } from '../../platform/paths.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import { describePair } from '../heads/describe-pair.ts';
import { outputContext } from '../heads/label-terms.ts';
import { atSizesOf } from '../heads/teacher-graph.ts';
import { layerMap, pairTowers, wantedLayers } from '../knowledge/pair-context.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import { withoutSchedules } from '../training/decided-temperature.ts';
import { type BucketSizes, lengthOf, secondsForSamples } from './batch-counts.ts';
import { labelSeconds } from './label-seconds.ts';
import type { PlanningContext } from './planning-context.ts';
import { sampledBuckets } from './sampled-split.ts';
import { type StoredAnswers, storedAnswers } from './stored-answers.ts';
/** What the recipe's losses ask of the teacher besides its classes. */
export interface InnerKnowledge {
  readonly context: ObjectiveContext;
  /** The shape of each tap. */
  readonly dims: ReadonlyMap<string, AnswerDims>;
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
  model: Graph,
  stored: { readonly store: KnowledgeStore; readonly hash: string | undefined },
): Promise<InnerKnowledge> {
  const { recipe, scratch } = context;
  const data = asTeacherReads(context.data);
  const { asked, task } = data;
  const teacher = atSizesOf(data.dataset.columns, model);
  const towers = pairTowers(data, recipe, data.buildStudent().graph, teacher);
  const pair = describePair(towers ? {} : recipe.knowledge, data.buildStudent().graph, teacher);
  const layers = layerMap(wantedLayers(recipe), pair.student, pair.teacher);
  const known: ObjectiveContext = {
    ...outputContext(data),
    models: { ...pair, layers, ...(towers && { towers }) },
    teacherGraph: teacher,
  };
  const requests = knowledgeRequests(withoutSchedules(recipe.objective), known);
  const tapped = tapTeacher(teacher, requests);
  const { dims } = tapped;
  if (requests.length === 0) return { context: known, dims, missing: 0, seconds: 0, diskBytes: 0 };
  const taps = requests.map(({ tap }) => tap);
  const file = join(scratch, 'teacher_tapped.onnx');
  const bound = memoryBound(context, data, file);
  // Parts refer to the weights of the teacher's own file.
  if (!bound) writeModelFile(file, tapped.graph);
  const batch = new Map<number, number>();
  let openSeconds = 0;
  context.checkInterrupted();
  const labeller = await openLabeller(context, task, bound ? tapped.graph : file, source.title, { bound });
  try {
    for (const sample of sampledBuckets([asked], TEACHER_BATCH)) {
      const cost = await labelSeconds(context, labeller, sample, { graph: tapped.graph, taps });
      batch.set(lengthOf(sample.buckets[0]!), cost.seconds);
      openSeconds = cost.openSeconds;
    }
  } finally {
    await labeller.close();
  }
  const { preprocessing } = task;
  let diskBytes = 0;
  let buckets: BucketSizes['buckets'] = asked.buckets.map((bucket) => ({ ...bucket, size: 0 }));
  for (const [tap, shape] of dims) {
    const query = { teacher: stored.hash, tap, preprocessing, dims: shape };
    const answers = await storedAnswers(stored.store, asked, query, context.checkInterrupted);
    // A sample is asked about all taps where one answer is missing.
    buckets = buckets.map((bucket, i) => {
      const { size } = answers.missingByBucket.buckets[i]!;
      return { ...bucket, size: Math.max(bucket.size, size) };
    });
    diskBytes += missingBytes(answers, shape);
  }
  return {
    context: known,
    dims,
    missing: buckets.reduce((sum, { size }) => sum + size, 0),
    seconds: openSeconds + secondsForSamples({ buckets }, TEACHER_BATCH, batch),
    diskBytes,
  };
}

function missingBytes({ missing, missingLengths }: StoredAnswers, shape: AnswerDims): number {
  if (missing === 0) return 0;
  return hasLength(shape)
    ? estimateLengthBytes(missingLengths, shape, 'float16')
    : estimateBytes(missing, shape as number[], 'float16');
}
