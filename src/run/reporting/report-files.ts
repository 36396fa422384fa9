import { existsSync } from '../../platform/files.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { replaceFile } from '../../replace-file.ts';
import { renderReport } from '../../report/html/page.ts';
import { renderModelCard } from '../../report/model-card.ts';
import type { ReportData } from '../../report/report-data.ts';
import { int8Ships } from '../../report/result.ts';
import { studentShips } from '../../report/runtime-gates.ts';
import { rejectFile } from '../shipping/rejected-files.ts';
import { rejectStudent } from '../shipping/rejected-student.ts';
import { cardFacts } from './card-facts.ts';

/** Everything that the page and the card are drawn from, so that they can be drawn again. */
const DATA_FILE = 'report.json';
/** What is kept of a run's report: the page and the card are drawn from it. */
export const REPORT_FILES = [DATA_FILE, 'result.json'] as const;

/** Writes `report.json`, `report.html`, the model card and, last, `result.json`. */
export function writeReportFiles(runFolder: string, data: ReportData): string {
  replaceFile(`${runFolder}/${DATA_FILE}`, JSON.stringify(data), 'run');
  const page = drawReport(runFolder, data);
  replaceFile(`${runFolder}/result.json`, `${JSON.stringify(data.result, null, 2)}\n`, 'run');
  return page;
}

/** Draws `report.html` and, where there is a student, its model card. */
export function drawReport(runFolder: string, data: ReportData): string {
  // Runs of earlier versions left the file of a shut gate where it would ship.
  if (!studentShips(data.result)) rejectStudent(runFolder);
  else if (!int8Ships(data.result)) rejectFile(runFolder, 'int8');
  const page = `${runFolder}/report.html`;
  replaceFile(page, renderReport(data), 'run');
  if (existsSync(`${runFolder}/student`)) {
    const recipe = parseRecipe(data.recipe, { file: 'recipe.resolved.yaml' });
    const card = renderModelCard(data, cardFacts(recipe));
    replaceFile(`${runFolder}/student/README.md`, card, 'run');
  }
  return page;
}
