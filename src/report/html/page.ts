import type { ReportData } from '../report-data.ts';
import { answersOneClass } from '../result.ts';
import { renderDocument } from './document.ts';
import { html, type Markup } from './markup.ts';
import { shownModels } from './models.ts';
import { compressionSection } from './sections/compression.ts';
import { costSection } from './sections/cost.ts';
import { dataSection } from './sections/data.ts';
import { dynamicsSection } from './sections/dynamics.ts';
import { exitsSection } from './sections/exits.ts';
import { knowledgeGraphSection } from './sections/knowledge-graph.ts';
import { layerPrecisionsSection } from './sections/layer-precisions.ts';
import { learningSection } from './sections/learning.ts';
import { outputSections } from './sections/output-section.ts';
import { repeatSection } from './sections/repeat.ts';
import { runtimesSection } from './sections/runtimes.ts';
import { scorecardSection } from './sections/scorecard.ts';
import { headline, summarySection } from './sections/summary.ts';
import { weightsSection } from './sections/weights.ts';
import { writtenSection } from './sections/written.ts';
import { STYLE } from './style.ts';

/**
 * `report.html`: one page that needs nothing but itself (no network, fonts or files) and says everything in
 * `data`, whatever the models answer: what there is to show of each output, its target says. Every string of `data` is escaped;
 * the content security policy admits our own style and script by hash and nothing else.
 *
 * @example
 * await writeFile(join(folder, 'report.html'), renderReport(reportDataSchema.parse(data)));
 */
export function renderReport(data: ReportData): string {
  const body: (Markup | null)[] = [
    summarySection(data),
    scorecardSection(data, shownModels(data)),
    layerPrecisionsSection(data),
    compressionSection(data),
    exitsSection(data),
    runtimesSection(data),
    learningSection(data),
    knowledgeGraphSection(data),
    weightsSection(data),
    writtenSection(data),
    dynamicsSection(data),
    ...data.outputs.flatMap((output) => outputSections(output, data.unit)),
    costSection(data),
    dataSection(data),
    repeatSection(data),
  ];
  const how = answersOneClass(data.result)
    ? 'Macro-F1 is the mean over the classes that occur in the test split.'
    : `Intervals of differences are of the delete-a-group jackknife over ten parts of the test ${data.unit}.`;
  const footer = html`<p>Made by Limbeck <bdi>${data.result.version}</bdi>. ${how} Latency is the median of one call with the inputs at hand; throughput is in batches of 32.</p>`;
  return renderDocument({ title: `${data.name}: ${headline(data)}`, style: STYLE, body, footer });
}
