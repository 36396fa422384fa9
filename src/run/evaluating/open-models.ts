import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { Engine } from '../../engine/engine.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { MemoryBound } from '../../teachers/parts/parted-model.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData, TeacherReading } from '../context/task.ts';
import { tuneHeads } from '../heads/tune-heads.ts';
import { type ComparedModels, STUDENT_NAME, TEACHER_NAME } from '../measuring/compared-models.ts';
import type { HostedMeasuring } from '../teaching/hosted-measuring.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';

/** Opens the models. Gives what measures a hosted teacher, on the samples that it answered. */
export async function openModels(
  run: RunContext,
  data: TaskData,
  parts: {
    readonly models: ComparedModels;
    readonly files: ReadonlyMap<string, string>;
    readonly smaller: ReadonlyMap<string, unknown>;
    readonly teacher: TrainedTeacher | undefined;
    /** What the teacher was asked already. */
    readonly kept: ReadonlyMap<string, LabelSpace> | undefined;
  },
): Promise<HostedMeasuring | undefined> {
  const { models, files, smaller, teacher, kept } = parts;
  const { test } = data.dataset.splits;
  const hosted = teacher?.hosted;
  const read = asTeacherReads(data);
  for (const [name, file] of files) {
    const bound = name === TEACHER_NAME ? memoryBound(run, read, file) : undefined;
    await models.open(bound ? await inParts(run.engine, bound) : run.engine, name, file, {
      ...(name === TEACHER_NAME && (models.isOneClass || bound) && { kept }),
      ...(name === TEACHER_NAME && data.teacherReads && { reads: teacherBatches(data.teacherReads, test) }),
      // Smaller files are read as the student.
      ...(!smaller.has(name) && {
        tune: (session) =>
          tuneHeads(
            run,
            session,
            data.heads,
            (name === TEACHER_NAME ? read : data).dataset.splits.validation,
          ),
      }),
    });
  }
  // Against what it said itself it is not measured.
  const compared = data.taughtTruth ? undefined : kept;
  if (!hosted) return undefined;
  // Loaded where it is used: pages do not pay for it.
  const { HostedMeasuring } = await import('../teaching/hosted-measuring.ts');
  return new HostedMeasuring(data.heads, models.headsOf(STUDENT_NAME), compared);
}

/** Loaded where it is used: pages do not pay for it. */
async function inParts(engine: Engine, bound: MemoryBound): Promise<Pick<Engine, 'load'>> {
  const { engineInParts } = await import('../teaching/engine-in-parts.ts');
  return engineInParts(engine, bound);
}

/** Batches of a split as the teacher reads them. */
export function teacherBatches(reading: TeacherReading, split: Split): (batch: Batch) => Batch {
  return (batch) => reading.batch(batch, split);
}
