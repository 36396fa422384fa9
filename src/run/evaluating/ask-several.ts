import type { Batch } from '../../data/batch.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { askAll } from '../../teachers/ask-all.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { ComparedTeachers } from '../measuring/compared-teachers.ts';
import { openClassifier } from '../measuring/open-classifier.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { teacherBatches } from './open-models.ts';

/** Several teachers that are asked about the test split. */
export interface SeveralAsked {
  readonly compared: ComparedTeachers;
  /** Asks about one more batch. */
  add(batch: Batch): Promise<void>;
  release(): Promise<void>;
}

/**
 * Opens several teachers to be told apart; undefined where there is one. Those that run in parts are asked about the whole split at
 * once, so that each part is loaded once.
 */
export async function openTeachers(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher | undefined,
): Promise<SeveralAsked | undefined> {
  if (!teacher?.members || teacher.membersFile === undefined) return undefined;
  const compared = new ComparedTeachers(teacher.members);
  if (await askInParts(run, data, teacher.membersFile, compared))
    return { compared, add: async () => undefined, release: async () => undefined };
  const session = await openClassifier(run.engine, teacher.membersFile);
  const { teacherReads, dataset } = data;
  const reads = teacherReads ? teacherBatches(teacherReads, dataset.splits.test) : (batch: Batch) => batch;
  const fetches = Object.fromEntries(compared.outputs.map((name) => [name, null]));
  return {
    compared,
    async add(batch) {
      compared.add(batch, await session.run(takenFeeds(session, reads(batch).columns), fetches));
    },
    release: () => session.release(),
  };
}

/** Asks about all of the test split where the recipe bounds the memory. @returns whether it does */
async function askInParts(
  run: RunContext,
  data: TaskData,
  file: string,
  compared: ComparedTeachers,
): Promise<boolean> {
  const read = asTeacherReads(data);
  const bound = memoryBound(run, read, file);
  if (!bound) return false;
  const { outputs } = compared;
  const { checkInterrupted } = run;
  const labeller = await openLabeller(run, read.task, file, data.teacherTitle, { bound });
  try {
    const batches = splitBatches(read.dataset.splits.test, TEACHER_BATCH);
    for await (const [batch, said] of askAll(labeller, batches, outputs, { checkInterrupted }))
      compared.add(batch, Object.fromEntries(outputs.map((name) => [name, asRows(said[name], batch)])));
    return true;
  } finally {
    await labeller.close();
  }
}

/** A teacher's answers to a batch as a model gives them. */
function asRows(values: Float32Array | undefined, { filled }: Batch): Tensor {
  if (!values) throw new Error('a teacher did not answer with one of its outputs');
  return { type: 'float32', dims: [filled, values.length / filled], data: values };
}
