import type { Batch } from '../data/batch.ts';
import { inFlight } from '../in-flight.ts';
import type { LabelAllOptions, Teacher } from './teacher.ts';

/** Batches and a teacher's answers to them, in order: several asked about at once, or part by part, as the teacher has it. */
export function askAll(
  teacher: Teacher,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  taps: readonly string[],
  how: LabelAllOptions = {},
): AsyncIterable<readonly [Batch, Record<string, Float32Array>]> {
  return (
    teacher.labelAll?.(batches, taps, how) ??
    inFlight(batches, teacher.batchesAtOnce ?? 1, (batch) => teacher.label(batch, taps))
  );
}
