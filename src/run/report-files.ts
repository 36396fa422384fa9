import { LimbeckError } from '../errors.ts';
import { existsSync } from '../platform/files.ts';
import { parseRecipe } from '../recipe/parse.ts';
import { readRegularText } from '../regular-file.ts';
import { replaceFile } from '../replace-file.ts';
import { renderReport } from '../report/html/page.ts';
import { renderTrainReport } from '../report/html/train-page.ts';
import { renderModelCard } from '../report/model-card.ts';
import { type ReportData, reportDataSchema } from '../report/report-data.ts';
import { compareModels, int8Ships, type ModelResult } from '../report/result.ts';
import { type TrainReport, trainReportSchema } from '../report/train-report.ts';
import { requireKept } from './kept-files.ts';
import { rejectInt8 } from './rejected-int8.ts';
import { filesOf } from './run-state.ts';
import type { StudentEvaluation } from './stages/evaluate.ts';

/** Everything that the page and the card are drawn from, so that they can be drawn again. */
const DATA_FILE = 'report.json';
/** What is kept of a run's report: the page and the card are drawn from it. */
export const REPORT_FILES = [DATA_FILE, 'result.json'] as const;
const REMEDY =
  'Delete report.json and result.json and run the same `limbeck distill` or `limbeck train` again: it only measures and reports anew.';

/** What `distill` and what `train` report. */
export type RunReport = ReportData | TrainReport;

/** Writes `report.json`, `report.html`, the model card and, last, `result.json`. */
export function writeReportFiles(runFolder: string, data: RunReport): string {
  replaceFile(`${runFolder}/${DATA_FILE}`, JSON.stringify(data), 'run');
  const page = drawReport(runFolder, data);
  replaceFile(`${runFolder}/result.json`, `${JSON.stringify(data.result, null, 2)}\n`, 'run');
  return page;
}

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
export function updateReport(runFolder: string, measured: StudentEvaluation): void {
  const data = readReport(`${runFolder}/${DATA_FILE}`);
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

function isOfTraining(data: RunReport): data is TrainReport {
  return 'taughtBy' in data;
}

function readReport(file: string): RunReport {
  try {
    const content = JSON.parse(readRegularText(file)) as object;
    return 'taughtBy' in content ? trainReportSchema.parse(content) : reportDataSchema.parse(content);
  } catch (cause) {
    throw new LimbeckError('run.damaged', 'the report data is not what this version writes', {
      where: file,
      remedy: REMEDY,
      cause,
    });
  }
}

function drawReport(runFolder: string, data: RunReport): string {
  // Runs of earlier versions left the file of a shut gate where it would ship.
  if (!int8Ships(data.result)) rejectInt8(runFolder);
  const page = `${runFolder}/report.html`;
  replaceFile(page, isOfTraining(data) ? renderTrainReport(data) : renderReport(data), 'run');
  if (existsSync(`${runFolder}/student`)) {
    const { export: exported, data: texts } = parseRecipe(data.recipe, { file: 'recipe.resolved.yaml' });
    const card = renderModelCard(data, {
      license: exported.license,
      languages: exported.languages,
      maxLength: texts.maxLength,
    });
    replaceFile(`${runFolder}/student/README.md`, card, 'run');
  }
  return page;
}
