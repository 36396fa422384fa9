import { formatValue } from '../../metrics/format-metric.ts';
import { answersHeadline, answersWorth, mainValue, shutAnswersGate } from '../answers-conclusion.ts';
import type { AnswersReport } from '../answers-report.ts';
import { type LineSeries, lineChart } from './charts/line-chart.ts';
import { brand, dateOf, figure, renderDocument } from './document.ts';
import { bytes, capital, compact, decimal, percent, quantity, seconds } from './format.ts';
import { html, type Markup } from './markup.ts';
import { answersScorecard } from './sections/answers-scorecard.ts';
import { costSection } from './sections/cost.ts';
import { dataSection } from './sections/data.ts';
import { dynamicsSection } from './sections/dynamics.ts';
import { outputSection } from './sections/output-section.ts';
import { repeatSection } from './sections/repeat.ts';
import { byTerm, legend } from './sections/term-lines.ts';
import { STYLE } from './style.ts';

/** `report.html` of a run whose models answer with anything but one class. Every string is escaped. */
export function renderAnswersReport(data: AnswersReport): string {
  return renderDocument({
    title: `${data.name}: ${answersHeadline(data.result)}`,
    style: STYLE,
    body: [
      summary(data),
      answersScorecard(data),
      ...data.outputs.map((output) => outputSection(output, data.unit)),
      learning(data),
      dynamicsSection(data),
      costSection(data),
      dataSection(data, (data.result.teacher ?? data.result.hostedTeacher) !== undefined),
      repeatSection(data),
    ],
    footer: html`<p>Made by Limbeck <bdi>${data.result.version}</bdi>. Intervals of differences are of the delete-a-group jackknife over ten parts of the test ${data.unit}. Latency is the median of one call with the inputs at hand; throughput is in batches of 32.</p>`,
  });
}

function summary(data: AnswersReport): Markup {
  const { result, unit } = data;
  const { student, teacher } = result;
  const shut = shutAnswersGate(result);
  const warnings = [
    ...(shut ? [{ level: 'warning', message: `${capital(shut)}. The int8 file does not ship.` }] : []),
    ...data.warnings,
  ];
  return html`<header class="summary">
${brand(teacher ? 'distillation report' : 'training report')}
<p class="run"><bdi>${data.name}</bdi> <span class="muted">· ${dateOf(data.finishedAt)} · seed ${result.seed}</span></p>
<h1>${answersHeadline(result)}</h1>
<p class="lede">Measured on ${decimal(data.data.splits.test)} ${unit} that no model had seen: the student's ${mainValue(result, student)}${teacher && `, its teacher's ${mainValue(result, teacher)}`}. ${answersWorth(result).join(' ')}</p>
<ul class="figures">
${figure(formatValue(result.metrics[0]!, student.metrics[result.metrics[0]!.name] ?? Number.NaN), result.metrics[0]!.title)}
${typeof result.retention === 'number' && result.metrics[0]!.better === 'higher' && figure(percent(result.retention), 'of the teacher kept')}
${figure(bytes(student.bytes), `${quantity(student.parameters)} parameters`)}
${figure(decimal(student.throughput), `${unit} a second`)}
</ul>
</header>
${
  warnings.length > 0 &&
  html`<section class="warnings" aria-label="Warnings and notes"><ul>${warnings.map(
    ({ level, message }) =>
      html`<li class="${level}"><b>${level === 'warning' ? 'Warning' : 'Note'}</b> <bdi>${message}</bdi></li>`,
  )}</ul></section>`
}`;
}

function learning({ result, validation, curves }: AnswersReport): Markup {
  const [metric] = result.metrics;
  const lines: LineSeries[] = [
    line('Student', 'student', validation.student),
    ...(validation.baseline ? [line('Baseline', 'baseline', validation.baseline)] : []),
  ];
  const losses = byTerm(curves.student, (point) => point.losses);
  return html`<section aria-labelledby="learning">
<h2 id="learning">How it learned</h2>
<figure class="wide"><figcaption><h3>${capital(metric?.title ?? '')} on the validation split by seconds of training</h3>${legend(lines)}</figcaption>
${lineChart({ title: `${metric?.title} by seconds of training`, series: lines, formatX: seconds, formatY: (value) => (metric ? formatValue(metric, value) : compact(value)), height: 300, fromZero: 'unless-flat' })}
</figure>
<figure class="wide"><figcaption><h3>Loss by term</h3><p class="about">The student's terms before their weights, and the weighted total, by training step.</p>${legend(losses)}</figcaption>
${lineChart({ title: 'The terms of the loss by training step', series: losses, formatX: (value) => decimal(value), formatY: compact, height: 220, fromZero: true })}
</figure>
</section>`;
}

function line(name: string, color: string, points: AnswersReport['validation']['student']): LineSeries {
  return {
    name,
    color,
    points: points.map(({ step, seconds: x, value }) => ({
      x,
      y: value,
      title: `${name}, step ${decimal(step)}: ${compact(value)}`,
    })),
  };
}
