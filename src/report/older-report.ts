import { type PairedCounts, pairedDifference, unpairedDifference } from '../metrics/interval.ts';
import type { ClassAnswers } from './class-answers.ts';
import type { CurvePoint, ReportData } from './report-data.ts';
import { LABELS_ALONE, type ModelResult, type RunResult } from './result.ts';

/** A report of a distillation of one class by an earlier version. */
type OlderDistillation = Omit<
  ReportData,
  'unit' | 'outputs' | 'validation' | 'teacherValidation' | 'result'
> &
  Omit<ClassAnswers, 'block' | 'labels' | 'mistakes'> & {
    readonly result: RunResult;
    readonly teacherValidationAccuracy: number | null;
  };

/** One of a training of one class. */
interface OlderTraining extends Pick<ReportData, 'labels'> {
  readonly taughtBy: 'labels';
  readonly student: string;
  readonly curve: CurvePoint[];
  readonly confusion: ClassAnswers['confusion']['student'];
  readonly calibration: NonNullable<ClassAnswers['calibration']>['student'];
  readonly mistakes: ClassAnswers['mistakes'];
}

/**
 * A report as this version has it, to be checked: earlier versions had one form for distillations of one class, one for trainings
 * of one class, and one for all other answers. What is none of them is left as it is.
 */
export function fromOlderReport(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || 'teacherValidation' in content) return content;
  if ('answers' in content) return { teacherValidation: null, ...content };
  if ('taughtBy' in content) return fromTraining(content as OlderTraining);
  return 'confusion' in content && 'errors' in content
    ? fromDistillation(content as unknown as OlderDistillation)
    : content;
}

function fromDistillation(older: OlderDistillation): unknown {
  const { confusion, errors, disagreements, calibration, teacherValidationAccuracy, ...report } = older;
  const { curves, labels } = report;
  return {
    unit: 'texts',
    ...report,
    result: concluded(older),
    teacherValidation: teacherValidationAccuracy,
    validation: {
      student: validationOf(curves.student),
      baseline: curves.baseline && validationOf(curves.baseline),
    },
    outputs: outputsOf({
      block: 'classes',
      labels,
      confusion,
      errors,
      disagreements,
      calibration,
      mistakes: [],
    }),
  };
}

function fromTraining(older: OlderTraining): unknown {
  const { taughtBy: _, student, curve, confusion, calibration, mistakes, ...report } = older;
  return {
    ...report,
    models: { student },
    teacherValidation: null,
    curves: { student: curve, baseline: null },
    validation: { student: validationOf(curve), baseline: null },
    outputs: outputsOf({
      block: 'classes',
      labels: report.labels,
      confusion: { teacher: null, student: confusion, baseline: null },
      calibration: { teacher: null, student: calibration, baseline: null },
      errors: null,
      disagreements: [],
      mistakes,
    }),
  };
}

function outputsOf(answers: ClassAnswers): ReportData['outputs'] {
  return [{ name: 'logits', title: 'one class', kind: 'class', section: [answers] }];
}

function validationOf(curve: readonly CurvePoint[]): ReportData['validation']['student'] {
  return curve.flatMap(({ step, seconds, validationAccuracy: value }) =>
    value === undefined ? [] : [{ step, seconds, value }],
  );
}

/**
 * A result with all that conclusions rest on. Earlier versions did not count the baseline's answers beside the student's: its gain
 * then has the wider interval of two accuracies that were measured apart.
 */
function concluded({ result, confusion, errors }: OlderDistillation): RunResult {
  const supports = confusion.student.map((row) => row.reduce((sum, count) => sum + count, 0));
  const samples = supports.reduce((sum, count) => sum + count, 0);
  const { student, baseline } = result;
  const measured = ({ accuracy = 0 }: ModelResult) => ({ accuracy, samples });
  const fromErrors: PairedCounts = {
    samples: errors?.total ?? 0,
    onlyFirst: errors?.corrected ?? 0,
    onlySecond: errors?.own.teacherRight ?? 0,
  };
  return {
    testSamples: samples,
    chance: samples > 0 ? Math.max(...supports) / samples : 0,
    overTeacher: pairedDifference(fromErrors),
    baselines: baseline
      ? [
          {
            ...LABELS_ALONE,
            result: baseline,
            gain: unpairedDifference(measured(student), measured(baseline)),
          },
        ]
      : [],
    ...result,
  };
}
