import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { labelSplit } from '../../knowledge/label.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { AnswerDims } from '../../knowledge/true-length.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openLabeller, TEACHER_BATCH } from './ask-teacher.ts';
import type { TrainedTeacher } from './trained-teacher.ts';

/** What a teacher's inner values were asked for, and where the answers are. */
export interface TapLabels {
  readonly spaces: ReadonlyMap<string, LabelSpace>;
  /** Samples that the teacher was asked about. */
  readonly teacherCalls: number;
}

/** What the teacher is looked into for. */
export interface TappedSamples {
  /** For the progress bar: `reading the teacher's layers`. */
  readonly name: string;
  batches(rows: number): Iterable<Batch>;
}

/** All samples of a split. */
export function tappedSplit(split: Split, name = "reading the teacher's layers"): TappedSamples {
  return { name, batches: (rows) => splitBatches(split, rows) };
}

/**
 * Asks the float32 teacher for its inner values (attention, hidden states, gradients), for every sample that the store has
 * no answer for. All taps of a sample are computed at once, and the size of what will be kept is told first.
 */
export async function tapSamples(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  requests: readonly KnowledgeRequest[],
  { name, batches }: TappedSamples,
): Promise<TapLabels> {
  if (requests.length === 0) return { spaces: new Map(), teacherCalls: 0 };
  const { graph, dims } = tapTeacher(readModelFile(teacher.file), requests);
  const taps = requests.map(({ tap }) => tap);
  const hash = teacherHash(teacher.file);
  const asked = await openLabeller(run, data.task, writeModel(graph), `${teacher.title}, inside`, { hash });
  const { unit } = data.task;
  try {
    const result = await labelSplit({
      teacher: asked,
      taps,
      store: run.store,
      encoding: 'float16',
      batchSize: TEACHER_BATCH,
      split: { batches },
      signal: run.options.signal,
      onPlan: ({ missing, bytes }) => {
        if (missing === 0) return;
        run.emit({
          type: 'log',
          level: 'info',
          message: `${missing} ${unit} have no answer for ${taps.join(', ')} yet; about ${bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`} will be kept`,
        });
      },
      onProgress: ({ done, total }) =>
        run.emit({ type: 'progress', stage: 'label', task: name, done, total, unit }),
    });
    const spaces = new Map<string, LabelSpace>();
    for (const tap of taps) {
      const { title, preprocessing } = asked;
      const shape = dims.get(tap) as AnswerDims;
      spaces.set(
        tap,
        await run.store.space({ title, teacher: hash, tap, preprocessing, dims: shape, encoding: 'float16' }),
      );
    }
    return { spaces, teacherCalls: result.teacherCalls };
  } finally {
    await asked.close();
  }
}
