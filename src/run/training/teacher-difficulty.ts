import type { Batch } from '../../data/batch.ts';
import { labelsOf } from '../../data/batch.ts';
import { ATTENTION_MASK, LABELS } from '../../data/columns.ts';
import type { Engine, Session } from '../../engine/engine.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { askedOf, innerOutput } from '../../objectives/inner-output.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Head } from '../../targets/head.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import type { TaskData } from '../context/task.ts';
import { outputContext } from '../heads/label-terms.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';
import type { TeacherAnswers } from '../teaching/lessons.ts';

/** Rows read at once; little is computed on them. */
const ROWS = 256;

/**
 * How hard each training sample is to its teacher, by bucket: 1 minus the confidence of the answers that are kept. Of a class
 * that is the probability of its label or, without one, of the teacher's own answer; of other answers what their target says
 * (`InnerKnowledge.confidence`), by the main output. Of images in several views the first is asked about.
 *
 * Weinshall, Cohen and Amir, "Curriculum Learning by Transfer Learning: Theory and Experiments with Deep Networks"
 * (2018), section 3: the confidence of a trained network as the difficulty of samples for another one.
 */
export async function teacherDifficulty(
  { engine }: { readonly engine: Engine },
  data: Pick<TaskData, 'asked' | 'dataset' | 'heads'>,
  { spaces }: Pick<TeacherAnswers, 'spaces'>,
): Promise<Float32Array[]> {
  const head = data.heads[0] as Head;
  const space = spaces.get(head.output);
  if (!space) throw new Error('no answers of the teacher were kept');
  if (head.target.kind === 'class') return byBatches(data, async (batch) => classDifficulty(space, batch));
  const sessions = new Map<string, Session>();
  try {
    return await byBatches(data, async (batch) => {
      const answers = readKnowledge(space, batch);
      const key = answers.dims.join();
      const session =
        sessions.get(key) ?? (await engine.load(writeModel(confidenceOf(data, head, answers.dims))));
      sessions.set(key, session);
      const all: Record<string, Tensor | undefined> = { ...batch.columns, answers };
      const feeds = Object.fromEntries(session.inputNames.map((name) => [name, all[name] as Tensor]));
      const { confidence } = await session.run(feeds);
      return (confidence.data as Float32Array).map((value) => 1 - value);
    });
  } finally {
    for (const session of sessions.values()) await session.release();
  }
}

/** The rows of every bucket in turn, in batches of one size. */
async function byBatches(
  { asked, dataset }: Pick<TaskData, 'asked' | 'dataset'>,
  difficultyOf: (batch: Batch) => Promise<Float32Array>,
): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for (const [bucket, { size }] of dataset.splits.train.buckets.entries()) {
    const difficulty = new Float32Array(size);
    for (let from = 0; from < size; from += ROWS) {
      const rows = Math.min(ROWS, size - from);
      const indices = Uint32Array.from({ length: rows }, (_, row) => from + row);
      difficulty.set((await difficultyOf(asked.readBatch(bucket, indices, rows))).subarray(0, rows), from);
    }
    all.push(difficulty);
  }
  return all;
}

function classDifficulty(space: LabelSpace, batch: Batch): Float32Array {
  const answers = readKnowledge(space, batch).data as Float32Array;
  // No column tells of a class that only the teacher knows.
  const labels = batch.columns[LABELS] ? labelsOf(batch) : undefined;
  const classes = answers.length / batch.rows;
  return Float32Array.from({ length: batch.rows }, (_, row) => {
    const own = answers.subarray(row * classes, (row + 1) * classes);
    // What the teacher left without an answer is as hard as can be.
    return 1 - (probability(own, labels?.[row] ?? -1) || 0);
  });
}

/** The confidence of answers as a small model of its own: inputs `answers` and the columns of the truth, float32 [rows]. */
function confidenceOf(data: Pick<TaskData, 'dataset' | 'heads'>, head: Head, dims: readonly number[]) {
  const about = innerOutput(head.output, outputContext(data));
  const judge = askedOf(about, 'confidence', 'training.curriculum');
  const g = new GraphBuilder();
  const answers = g.input('answers', 'float32', dims);
  const ofClasses = about.inner.truth === 'classes';
  const isKnown = !isTaughtAlone(head) && head.target.kind !== 'pairs';
  const truth = isKnown
    ? g.input(head.labels, ofClasses ? 'int32' : 'float32', ofClasses ? dims.slice(0, -1) : dims)
    : undefined;
  const hasMask = dims.length === 3 && data.dataset.columns?.some(({ name }) => name === ATTENTION_MASK);
  const mask = hasMask ? g.cast(g.input(ATTENTION_MASK, 'int64', dims.slice(0, 2)), 'float32') : undefined;
  const { confidence } = judge(g, { answers, truth, teacher: answers, mask, spread: about.spread });
  g.output(confidence, 'confidence');
  return g.build('confidence');
}

/** The softmax of the logits at `label`, or their highest one where that is -1. */
function probability(logits: Float32Array, label: number): number {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return (label < 0 ? 1 : Math.exp((logits[label] as number) - highest)) / sum;
}
