import { LimbeckError } from '../errors.ts';
import { existsSync } from '../platform/files.ts';
import { readRegularText } from '../regular-file.ts';
import { answersReportSchema } from '../report/answers-report.ts';
import { reportDataSchema } from '../report/report-data.ts';
import { compareModels, type ModelResult } from '../report/result.ts';
import { trainReportSchema } from '../report/train-report.ts';
import { requireKept } from './folder/kept-files.ts';
import { filesOf } from './folder/run-state.ts';
import type { StudentEvaluation } from './measuring/evaluations.ts';
import {
  drawReport,
  isOfAnswers,
  isOfTraining,
  REPORT_FILES,
  type RunReport,
  writeReportFiles,
} from './reporting/report-files.ts';
import type { AnswersEvaluation } from './stages/answers-evaluate.ts';
import { DISTILL, TRAIN, toldStages } from './stages/index.ts';

const [DATA_FILE] = REPORT_FILES;
const REMEDY =
  'Delete report.json and result.json and run the same `limbeck distill` or `limbeck train` again: it only measures and reports anew.';

/** Whether a run has come so far that its report can be drawn anew. */
export function hasReport(runFolder: string): boolean {
  return existsSync(`${runFolder}/${DATA_FILE}`);
}

/**
 * Draws report.html and the model card anew from what a finished run's folder holds.
 *
 * @throws LimbeckError `run.unfinished`, `run.damaged`
 */
export function redrawReport(runFolder: string): string {
  if (!hasReport(runFolder)) {
    throw new LimbeckError('run.unfinished', 'this folder has no finished run', {
      where: `${runFolder}/${DATA_FILE}`,
      remedy:
        'Let the run finish first: the same `limbeck distill` or `limbeck train` with its recipe and this folder goes on from where it is.',
    });
  }
  requireKept(runFolder, filesOf(runFolder), DATA_FILE, REMEDY);
  return drawReport(runFolder, readReport(`${runFolder}/${DATA_FILE}`));
}

/** The same of models that answer with anything but one class. */
export function updateAnswersReport(runFolder: string, measured: AnswersEvaluation): void {
  const data = readReport(`${runFolder}/${DATA_FILE}`);
  if (!isOfAnswers(data)) throw new Error('the report is of one class');
  const { student, studentInt8 } = data.result;
  const timed = <M extends { latencyMs: unknown; throughput: number }>(now: M, before: M | null): M =>
    before ? { ...now, latencyMs: before.latencyMs, throughput: before.throughput } : now;
  writeReportFiles(runFolder, {
    ...data,
    result: {
      ...data.result,
      gate: measured.gate,
      shippedCheck: measured.shippedCheck,
      student: timed(measured.student, student),
      studentInt8: measured.studentInt8 && timed(measured.studentInt8, studentInt8),
    },
  });
}

/**
 * Puts the measurements of an export that was done again into `report.json` and `result.json`, and draws both anew. Times
 * stay: those of the run were taken side by side with the teacher's.
 */
export function updateReport(runFolder: string, measured: StudentEvaluation): void {
  const data = readReport(`${runFolder}/${DATA_FILE}`);
  if (isOfAnswers(data)) throw new Error('the report is of other answers');
  const { student, studentInt8 } = data.result;
  const now: StudentEvaluation = {
    ...measured,
    student: timedAsBefore(measured.student, student),
    studentInt8: measured.studentInt8 && timedAsBefore(measured.studentInt8, studentInt8),
  };
  writeReportFiles(
    runFolder,
    isOfTraining(data)
      ? { ...data, result: { ...data.result, ...now } }
      : {
          ...data,
          result: { ...data.result, ...now, ...compareModels({ teacher: data.result.teacher, ...now }) },
        },
  );
}

function timedAsBefore(now: ModelResult, before: ModelResult | null): ModelResult {
  if (!before) return now;
  const { latencyMs, throughput, attributionCosine } = before;
  return { ...now, latencyMs, throughput, ...(attributionCosine === undefined ? {} : { attributionCosine }) };
}

function readReport(file: string): RunReport {
  try {
    const content = JSON.parse(readRegularText(file)) as object;
    if ('answers' in content) return answersReportSchema.parse(content);
    const report = 'taughtBy' in content ? trainReportSchema.parse(content) : reportDataSchema.parse(content);
    return { ...report, stages: report.stages ?? [...toldStages(isOfTraining(report) ? TRAIN : DISTILL)] };
  } catch (cause) {
    throw new LimbeckError('run.damaged', 'the report data is not what this version writes', {
      where: file,
      remedy: REMEDY,
      cause,
    });
  }
}
