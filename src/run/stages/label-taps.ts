import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { labelSplit, planLabels } from '../../knowledge/label.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { TapSpaces } from '../../knowledge/tap-spaces.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { SEQUENCE, tapTeacher } from '../../teachers/tap-teacher.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { RunContext } from '../run-context.ts';
import { bucketBatches } from '../sample-batches.ts';
import type { TaskData } from '../tasks/task.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import type { TrainedTeacher } from './teacher.ts';

/** What a teacher's inner values were asked for, and where the answers are. */
export interface TapLabels {
  readonly spaces: ReadonlyMap<string, TapSpaces>;
  /** Samples that the teacher was asked about. */
  readonly teacherCalls: number;
}

/** What the teacher is looked into for: samples by the length that they are padded to, where they are texts. */
export interface TappedSamples {
  /** For the progress bar: `reading the teacher's layers`. */
  readonly name: string;
  readonly sources: readonly { readonly length?: number; batches(rows: number): Iterable<Batch> }[];
}

/** All samples of a split. */
export function tappedSplit(split: Split, name = "reading the teacher's layers"): TappedSamples {
  const sources = split.buckets.flatMap(({ size, length }, bucket) =>
    size === 0 ? [] : [{ length, batches: (rows: number) => bucketBatches(split, bucket, rows) }],
  );
  return { name, sources };
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
  { name, sources }: TappedSamples,
): Promise<TapLabels> {
  if (requests.length === 0) return { spaces: new Map(), teacherCalls: 0 };
  const { graph, dims } = tapTeacher(readModelFile(teacher.file), requests);
  const model = writeModel(graph);
  const taps = requests.map(({ tap }) => tap);
  const hash = teacherHash(teacher.file);
  const labellers: { length?: number; teacher: Teacher; batches(rows: number): Iterable<Batch> }[] = [];
  try {
    for (const { length, batches } of sources) {
      const asked = await openLabeller(run, data.task, model, `${teacher.title}, inside`, {
        hash,
        sequence: length,
      });
      labellers.push({ length, batches, teacher: asked });
    }
    const { signal } = run.options;
    const jobs = labellers.map(({ batches, teacher }) => ({
      teacher,
      taps,
      store: run.store,
      encoding: 'float16' as const,
      batchSize: TEACHER_BATCH,
      split: { batches },
      signal,
    }));
    let [missing, bytes] = [0, 0];
    for (const job of jobs) {
      const plan = await planLabels(job);
      missing += plan.missing;
      bytes += plan.bytes;
    }
    if (missing > 0) {
      run.emit({
        type: 'log',
        level: 'info',
        message: `${missing} ${data.task.unit} have no answer for ${taps.join(', ')} yet; about ${bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`} will be kept`,
      });
    }
    let [done, teacherCalls] = [0, 0];
    for (const job of jobs) {
      const before = done;
      const result = await labelSplit({
        ...job,
        onProgress: (progress) => {
          done = before + progress.done;
          run.emit({
            type: 'progress',
            stage: 'label',
            task: name,
            done,
            total: missing,
            unit: data.task.unit,
          });
        },
      });
      teacherCalls += result.teacherCalls;
    }
    const spaces = new Map<string, TapSpaces>();
    for (const tap of taps) {
      const byLength = new Map<number | undefined, LabelSpace>();
      const hasLength = dims.get(tap)?.includes(SEQUENCE);
      for (const { length, teacher: asked } of labellers) {
        const space = await run.store.space({
          title: asked.title,
          teacher: hash,
          tap,
          preprocessing: asked.preprocessing,
          dims: asked.outputs[tap]?.dims ?? [],
          encoding: 'float16',
        });
        byLength.set(hasLength ? length : undefined, space);
      }
      spaces.set(tap, new TapSpaces(byLength));
    }
    return { spaces, teacherCalls };
  } finally {
    for (const { teacher: asked } of labellers) await asked.close();
  }
}
