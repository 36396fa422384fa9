import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { CHECKED_SAMPLES } from '../teaching/check-teacher.ts';
import { EXAMINED_SAMPLES } from '../teaching/examine-teacher.ts';
import { type BucketSizes, firstBatches, secondsForSamples } from './batch-counts.ts';
import type { TeacherFileCost } from './measure-teacher.ts';

/**
 * Seconds of what a classifier is asked before it labels: the validation split, and some of it twice (`examineTeacher`).
 *
 * @param isKnown whether it is our own sentence encoder, which is not examined
 */
export function checkingSeconds(
  validation: BucketSizes,
  { batch, openSeconds }: Pick<TeacherFileCost, 'batch' | 'openSeconds'>,
  isKnown: boolean,
): number {
  const checked = firstBatches(validation, TEACHER_BATCH, CHECKED_SAMPLES);
  const checking = openSeconds + secondsForSamples(checked, TEACHER_BATCH, batch);
  if (isKnown) return checking;
  const examined = firstBatches(validation, 1, EXAMINED_SAMPLES);
  return checking + openSeconds + 2 * secondsForSamples(examined, TEACHER_BATCH, batch);
}

/** Seconds of a teacher of other answers than classes, which is measured on the validation split. */
export function measuringSeconds(
  validation: BucketSizes,
  { batch, openSeconds }: Pick<TeacherFileCost, 'batch' | 'openSeconds'>,
): number {
  return openSeconds + secondsForSamples(validation, TEACHER_BATCH, batch);
}
