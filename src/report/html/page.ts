import type { ReportData } from '../report-data.ts';
import { renderDocument } from './document.ts';
import { html, type Markup } from './markup.ts';
import { shownModels } from './models.ts';
import { calibrationSection } from './sections/calibration.ts';
import { classesSection } from './sections/classes.ts';
import { costSection } from './sections/cost.ts';
import { dataSection } from './sections/data.ts';
import { disagreementsSection } from './sections/disagreements.ts';
import { dynamicsSection } from './sections/dynamics.ts';
import { errorsSection } from './sections/errors.ts';
import { knowledgeGraphSection } from './sections/knowledge-graph.ts';
import { learningSection, type TeacherLevel } from './sections/learning.ts';
import { repeatSection } from './sections/repeat.ts';
import { scorecardSection } from './sections/scorecard.ts';
import { headline, summarySection } from './sections/summary.ts';
import { weightsSection } from './sections/weights.ts';
import { STYLE } from './style.ts';

/** The level that the student's curve is compared with. */
function teacherLevel({ teacherValidationAccuracy, result }: ReportData): TeacherLevel {
  return teacherValidationAccuracy === null
    ? { accuracy: result.teacher.accuracy, split: 'test' }
    : { accuracy: teacherValidationAccuracy, split: 'validation' };
}

/**
 * `report.html`: one page that needs nothing but itself (no network, fonts or files) and says everything in
 * `data`. Every string of `data` is escaped; the content security policy admits our own style and script by hash
 * and nothing else.
 *
 * @example
 * await writeFile(join(folder, 'report.html'), renderReport(reportDataSchema.parse(data)));
 */
export function renderReport(data: ReportData): string {
  const body: (Markup | null)[] = [
    summarySection(data),
    scorecardSection(data, shownModels(data)),
    learningSection(data.curves, teacherLevel(data)),
    knowledgeGraphSection(data),
    weightsSection(data),
    dynamicsSection(data),
    classesSection(data),
    errorsSection(data),
    disagreementsSection(data),
    calibrationSection(data),
    costSection(data),
    dataSection(data),
    repeatSection(data),
  ];
  const footer = html`<p>Made by Limbeck <bdi>${data.result.version}</bdi>. Macro-F1 is the mean over the classes that occur in the test split. Latency is the median of one call with the tokens at hand; throughput is in batches of 32.</p>`;
  return renderDocument({ title: `${data.name}: ${headline(data)}`, style: STYLE, body, footer });
}
