import { type PairedCounts, pairedDifference, unpairedDifference } from '../metrics/interval.ts';
import type { ReportData } from './report-data.ts';
import { LABELS_ALONE, type RunResult } from './result.ts';

/**
 * A report's result with all that conclusions rest on. Reports of earlier versions did not count the baseline's answers
 * beside the student's: its gain then has the wider interval of two accuracies that were measured apart.
 */
export function concluded({ result, confusion, errors }: ReportData): RunResult {
  const supports = confusion.student.map((row) => row.reduce((sum, count) => sum + count, 0));
  const samples = supports.reduce((sum, count) => sum + count, 0);
  const { student, baseline } = result;
  const fromErrors: PairedCounts = {
    samples: errors.total,
    onlyFirst: errors.corrected,
    onlySecond: errors.own.teacherRight,
  };
  const older: Partial<RunResult> = {
    testSamples: samples,
    chance: samples > 0 ? Math.max(...supports) / samples : 0,
    overTeacher: pairedDifference(fromErrors),
    baselines: baseline
      ? [
          {
            ...LABELS_ALONE,
            result: baseline,
            gain: unpairedDifference(
              { accuracy: student.accuracy, samples },
              { accuracy: baseline.accuracy, samples },
            ),
          },
        ]
      : [],
  };
  return { ...older, ...result };
}
