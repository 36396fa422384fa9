import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { askModel } from './ask-model.ts';
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
 * Asks the teacher for its inner values (attention, hidden states, gradients), for every sample that the store has no answer
 * for. All taps of a sample are computed at once.
 *
 * @param file the form that is looked into; float32 when absent
 */
export async function tapSamples(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  requests: readonly KnowledgeRequest[],
  { name, batches }: TappedSamples,
  file = teacher.file,
): Promise<TapLabels> {
  if (requests.length === 0) return { spaces: new Map(), teacherCalls: 0 };
  const asking = { stage: 'label', task: name, samples: data.task.unit, batches };
  const { result, spaces } = await askModel(run, data, teacher, { file, outputs: [], requests }, asking);
  return { spaces, teacherCalls: result.teacherCalls };
}
