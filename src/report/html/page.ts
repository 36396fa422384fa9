import { createHash } from 'node:crypto';
import type { ReportData } from '../report-data.ts';
import { html, type Markup, trusted } from './markup.ts';
import { SCRIPT } from './script.ts';
import { calibrationSection } from './sections/calibration.ts';
import { classesSection } from './sections/classes.ts';
import { costSection } from './sections/cost.ts';
import { dataSection } from './sections/data.ts';
import { disagreementsSection } from './sections/disagreements.ts';
import { errorsSection } from './sections/errors.ts';
import { learningSection } from './sections/learning.ts';
import { repeatSection } from './sections/repeat.ts';
import { scorecardSection } from './sections/scorecard.ts';
import { headline, summarySection } from './sections/summary.ts';
import { STYLE } from './style.ts';

/**
 * `report.html`: one page that needs nothing but itself (no network, fonts or files) and says everything in
 * `data`. Every string of `data` is escaped; the content security policy admits our own style and script by hash
 * and nothing else.
 *
 * @example
 * await writeFile(join(folder, 'report.html'), renderReport(reportDataSchema.parse(data)));
 */
export function renderReport(data: ReportData): string {
  const policy = [
    "default-src 'none'",
    `style-src '${sha256(STYLE)}'`,
    `script-src '${sha256(SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const body: (Markup | null)[] = [
    summarySection(data),
    scorecardSection(data),
    learningSection(data),
    classesSection(data),
    errorsSection(data),
    disagreementsSection(data),
    calibrationSection(data),
    costSection(data),
    dataSection(data),
    repeatSection(data),
  ];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${data.name}: ${headline(data)}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
${body}
</main>
<footer><p>Made by Limbeck <bdi>${data.result.version}</bdi>. Macro-F1 is the mean over the classes that occur in the test split. Latency is the median of one call with the tokens at hand; throughput is in batches of 32.</p></footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
}

/** The hash that lets an inline style or script pass a content security policy. */
function sha256(source: string): string {
  return `sha256-${createHash('sha256').update(source).digest('base64')}`;
}
