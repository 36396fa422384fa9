import { LimbeckError } from '../errors.ts';
import { existsSync } from '../platform/files.ts';
import { readRegularText } from '../regular-file.ts';
import { fromOlderReport } from '../report/older-report.ts';
import { isDistillReport, type ReportData, reportDataSchema } from '../report/report-data.ts';
import { compareModels, type ModelResult } from '../report/result.ts';
import { requireKept } from './folder/kept-files.ts';
import { filesOf } from './folder/run-state.ts';
import type { Evaluations } from './measuring/evaluations.ts';
import { drawReport, REPORT_FILES, writeReportFiles } from './reporting/report-files.ts';
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

/**
 * Puts the measurements of an export that was done again into `report.json` and `result.json`, and draws both anew. Times
 * stay: those of the run were taken side by side with the teacher's.
 */
export function updateReport(runFolder: string, measured: Evaluations): void {
  const data = readReport(`${runFolder}/${DATA_FILE}`);
  const { metrics, student, studentInt8, gate, further, runtimeGates, testSamples, chance, shippedCheck } =
    measured;
  const now = {
    metrics,
    student: timedAsBefore(student, data.result.student),
    studentInt8: studentInt8 && timedAsBefore(studentInt8, data.result.studentInt8),
    gate,
    further: further?.map((now) => {
      const before = data.result.further?.find(({ precision }) => precision === now.precision);
      return { ...now, result: timedAsBefore(now.result, before?.result ?? null) };
    }),
    ...(runtimeGates && { runtimeGates }),
    testSamples,
    ...(chance !== undefined && { chance }),
    shippedCheck,
  };
  const compared = isDistillReport(data)
    ? compareModels({ teacher: data.result.teacher, ...now })
    : undefined;
  writeReportFiles(runFolder, { ...data, result: { ...data.result, ...now, ...compared } });
}

function timedAsBefore(now: ModelResult, before: ModelResult | null): ModelResult {
  if (!before) return now;
  const { latencyMs, throughput, attributionCosine } = before;
  return { ...now, latencyMs, throughput, ...(attributionCosine === undefined ? {} : { attributionCosine }) };
}

function readReport(file: string): ReportData {
  try {
    const report = reportDataSchema.parse(fromOlderReport(JSON.parse(readRegularText(file))));
    return { ...report, stages: report.stages ?? [...toldStages(isDistillReport(report) ? DISTILL : TRAIN)] };
  } catch (cause) {
    throw new LimbeckError('run.damaged', 'the report data is not what this version writes', {
      where: file,
      remedy: REMEDY,
      cause,
    });
  }
}
