import type { Split } from '../../data/split.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { batchBytes } from './batch-bytes.ts';
import { secondsPerBatch } from './batch-seconds.ts';
import type { PlanningContext } from './planning-context.ts';
import { firstRows } from './sampled-split.ts';

/** What samples of one length take a teacher. */
export interface LabelSeconds {
  /** Of a batch of TEACHER_BATCH samples. */
  readonly seconds: number;
  /** To load the parts of a teacher that runs in parts; 0 for any other. */
  readonly openSeconds: number;
}

/**
 * Times a teacher on samples of one length, and expects the memory of a batch that was not run whole.
 *
 * @param sample a split of one bucket
 * @param asked the teacher's model, and what is asked of it
 */
export async function labelSeconds(
  { memory, checkInterrupted }: Pick<PlanningContext, 'memory' | 'checkInterrupted'>,
  teacher: Teacher,
  sample: Split,
  asked: { readonly graph: Graph; readonly taps: readonly string[] },
): Promise<LabelSeconds> {
  const rows = Math.min(TEACHER_BATCH, sample.size);
  const firstOf = (count: number) => firstRows(sample, count);
  const whole = (seconds: number) => (seconds * TEACHER_BATCH) / rows;
  if (teacher.parts) {
    // Loaded where it is used: pages do not pay for it.
    const { measureParts } = await import('./measure-parts.ts');
    const { openSeconds, seconds } = await measureParts(teacher.parts, firstOf, {
      rows,
      memory,
      checkInterrupted,
    });
    return { openSeconds, seconds: whole(seconds) };
  }
  const { seconds, isWhole } = await secondsPerBatch(
    (count) => teacher.label(firstOf(count), asked.taps),
    rows,
    checkInterrupted,
  );
  memory.expect(isWhole ? 0 : batchBytes(asked.graph, firstOf(rows)));
  return { openSeconds: 0, seconds: whole(seconds) };
}
