import { existsSync } from '../../platform/files.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { replaceFile } from '../../replace-file.ts';
import { renderAnswersCard } from '../../report/answers-card.ts';
import type { AnswersReport } from '../../report/answers-report.ts';
import { renderAnswersReport } from '../../report/html/answers-page.ts';
import { renderReport } from '../../report/html/page.ts';
import { renderTrainReport } from '../../report/html/train-page.ts';
import { renderModelCard } from '../../report/model-card.ts';
import type { ReportData } from '../../report/report-data.ts';
import { int8Ships } from '../../report/result.ts';
import type { TrainReport } from '../../report/train-report.ts';
import { rejectInt8 } from '../shipping/rejected-int8.ts';

/** Everything that the page and the card are drawn from, so that they can be drawn again. */
const DATA_FILE = 'report.json';
/** What is kept of a run's report: the page and the card are drawn from it. */
export const REPORT_FILES = [DATA_FILE, 'result.json'] as const;

/** What `distill` and what `train` report. */
export type RunReport = ReportData | TrainReport | AnswersReport;

/** Writes `report.json`, `report.html`, the model card and, last, `result.json`. */
export function writeReportFiles(runFolder: string, data: RunReport): string {
  replaceFile(`${runFolder}/${DATA_FILE}`, JSON.stringify(data), 'run');
  const page = drawReport(runFolder, data);
  replaceFile(`${runFolder}/result.json`, `${JSON.stringify(data.result, null, 2)}\n`, 'run');
  return page;
}

/** Whether a report is one of models that answer with anything but one class. */
export function isOfAnswers(data: RunReport): data is AnswersReport {
  return 'answers' in data;
}

/** Whether a report is one of a training on labels alone. */
export function isOfTraining(data: RunReport): data is TrainReport {
  return 'taughtBy' in data;
}

/** Draws `report.html` and, where there is a student, its model card. */
export function drawReport(runFolder: string, data: RunReport): string {
  // Runs of earlier versions left the file of a shut gate where it would ship.
  if (!int8Ships(data.result)) rejectInt8(runFolder);
  const page = `${runFolder}/report.html`;
  replaceFile(page, pageOf(data), 'run');
  if (existsSync(`${runFolder}/student`)) {
    const {
      task,
      export: exported,
      data: texts,
    } = parseRecipe(data.recipe, { file: 'recipe.resolved.yaml' });
    const facts = {
      license: exported.license,
      languages: exported.languages,
      maxLength: texts.maxLength,
    };
    const card = isOfAnswers(data)
      ? renderAnswersCard(data, { ...facts, task })
      : renderModelCard(data, facts);
    replaceFile(`${runFolder}/student/README.md`, card, 'run');
  }
  return page;
}

function pageOf(data: RunReport): string {
  if (isOfAnswers(data)) return renderAnswersReport(data);
  return isOfTraining(data) ? renderTrainReport(data) : renderReport(data);
}
