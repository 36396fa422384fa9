import { accuracyMargin } from '../../margin.ts';
import type { ReportData } from '../../report-data.ts';
import { gateLayers } from '../../result.ts';
import { brand, dateOf, figure } from '../document.ts';
import { bytes, decimal, percent, points, times } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** The run in one sentence, with its own numbers. */
export function headline(data: ReportData): string {
  const { student, speedup, retention } = data.result;
  const speed =
    speedup >= 1.05
      ? `answers ${times(speedup)} faster`
      : speedup > 0.95
        ? 'answers as fast as its teacher'
        : `answers ${times(1 / Math.max(speedup, 1e-9))} slower`;
  const kept =
    retention > 1
      ? `beats its teacher (${percent(retention)} of its accuracy)`
      : `keeps ${percent(retention)} of its teacher’s accuracy`;
  return `A ${bytes(student.bytes)} student ${speed} and ${kept}`;
}

/** Headline, what it means in plain words, and the four figures that people quote. */
export function summarySection(data: ReportData): Markup {
  const { result } = data;
  const { teacher, student, studentInt8, baseline } = result;
  const tests = data.data.splits.test;
  const gain = baseline ? student.accuracy - baseline.accuracy : null;
  const isBeyondChance = gain !== null && Math.abs(gain) > accuracyMargin(student.accuracy, tests);
  return html`<header class="summary">
${brand('distillation report')}
<p class="run"><bdi>${data.name}</bdi> <span class="muted">· ${dateOf(data.finishedAt)} · seed ${result.seed}</span></p>
<h1>${headline(data)}</h1>
<p class="lede">On ${decimal(tests)} ${data.unit} that no model had seen, in ${data.labels.length} classes, the student is right ${percent(student.accuracy)} of the time; its teacher, ${percent(teacher.accuracy)}.
${
  baseline &&
  gain !== null &&
  html` The same student without a teacher, from ${decimal(data.data.labelled)} labels alone, reaches ${percent(baseline.accuracy)}${
    isBeyondChance
      ? `: the teacher is worth ${points(gain)} points.`
      : `: a difference of ${points(gain)} points, which is within chance.`
  }`
}${
  studentInt8 &&
  html` As int8 it takes ${bytes(studentInt8.bytes)}, answers ${times(result.speedupInt8 ?? 0)} faster than the teacher, and differs by ${points(studentInt8.accuracy - student.accuracy, 2)} points.`
}</p>
<ul class="figures">
${figure(percent(result.retention), 'of the teacher’s accuracy kept')}
${figure(`${decimal(result.speedup, result.speedup < 9.95 ? 1 : 0)}×`, 'the teacher’s throughput')}
${figure(`${decimal(teacher.bytes / Math.max(1, student.bytes), 1)}×`, 'smaller than the teacher')}
${
  gain !== null
    ? figure(points(gain), 'points over the same student without a teacher')
    : figure(decimal(result.teacherCalls), `${data.unit} that the teacher answered`)
}
</ul>
</header>
${warningList(data)}`;
}

function warningList(data: ReportData): Markup | null {
  const { gate } = data.result;
  const warnings = [...data.warnings];
  if (gate && !gate.passed) {
    const layers = gateLayers(gate);
    warnings.unshift({
      level: 'warning',
      message: `The int8 student lost ${points(gate.drop, 2)} points, more than the ${points(gate.maxDrop, 2)} that the recipe allows: it does not ship.${layers && ` Cross-entropy that each layer adds in int8: ${layers}.`}`,
    });
  }
  if (warnings.length === 0) return null;
  return html`<section class="warnings" aria-label="Warnings and notes"><ul>${warnings.map(
    (warning) =>
      html`<li class="${warning.level}"><b>${warning.level === 'warning' ? 'Warning' : 'Note'}</b> <bdi>${warning.message}</bdi></li>`,
  )}</ul></section>`;
}
