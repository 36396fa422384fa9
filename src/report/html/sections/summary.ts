import { direction } from '../../../metrics/interval.ts';
import {
  bestBaseline,
  headlineOf,
  mayQuoteRetention,
  speedBesideTeacher,
  worthOf,
} from '../../conclusion.ts';
import { shutGate } from '../../gate-sentences.ts';
import { concluded } from '../../older-report.ts';
import type { ReportData } from '../../report-data.ts';
import { int8Ships, type RunResult } from '../../result.ts';
import { brand, dateOf, figure } from '../document.ts';
import { bytes, capital, decimal, percent, points } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** The run in one sentence, with its own numbers. */
export function headline(data: ReportData): string {
  return headlineOf(concluded(data), data.unit);
}

/** Headline, what it means in plain words, and the four figures that people quote. */
export function summarySection(data: ReportData): Markup {
  const result = concluded(data);
  const { teacher, student, studentInt8 } = result;
  const tests = data.data.splits.test;
  return html`<header class="summary">
${brand('distillation report')}
<p class="run"><bdi>${data.name}</bdi> <span class="muted">· ${dateOf(data.finishedAt)} · seed ${result.seed}</span></p>
<h1>${headline(data)}</h1>
<p class="lede">On ${decimal(tests)} ${data.unit} that no model had seen, in ${data.labels.length} classes, the student is right ${percent(student.accuracy)} of the time; its teacher, ${percent(teacher.accuracy)}.
${worthOf(result, data.unit, data.data.labelled).map((sentence) => html` ${sentence}`)}${studentInt8 && html` ${int8Sentence(result)}`}</p>
<ul class="figures">
${
  mayQuoteRetention(result) && result.retention <= 1
    ? figure(percent(result.retention), 'of the teacher’s accuracy kept')
    : figure(percent(student.accuracy), `right; its teacher ${percent(teacher.accuracy)}`)
}
${result.speedup > 0.95 ? figure(ratio(result.speedup), 'the teacher’s throughput') : figure(ratio(1 / Math.max(result.speedup, 1e-9)), 'slower than the teacher')}
${student.bytes <= teacher.bytes ? figure(ratio(teacher.bytes / Math.max(1, student.bytes), 1), 'smaller than the teacher') : figure(ratio(student.bytes / Math.max(1, teacher.bytes), 1), 'the teacher’s size')}
${gainFigure(result) ?? figure(decimal(result.teacherCalls), `${data.unit} that the teacher answered`)}
</ul>
</header>
${warningList(data)}`;
}

/** `24×`, `2.4×`. */
function ratio(value: number, digits = value < 9.95 ? 1 : 0): string {
  return `${decimal(value, digits)}×`;
}

/** What int8 makes of the student, and whether it is in the folder. */
function int8Sentence({ student, studentInt8, gate, speedupInt8 }: RunResult): string {
  if (!studentInt8) return '';
  const change = points(studentInt8.accuracy - student.accuracy, 2);
  const range = gate?.interval;
  const interval = range
    ? ` (95\u202f% interval: ${points(-range.high, 2)} to ${points(-range.low, 2)})`
    : '';
  const ships = int8Ships({ studentInt8, gate }) ? '' : '; it was kept back and does not ship';
  return `As int8 it takes ${bytes(studentInt8.bytes)}, ${speedBesideTeacher(speedupInt8 ?? 0)}, and differs by ${change} points${interval}${ships}.`;
}

/** The difference to the best of what learnt from the labels alone, where it is more than chance. */
function gainFigure(result: RunResult): Markup | null {
  const alone = bestBaseline(result, 'labels');
  if (!alone) return null;
  const { difference } = alone.gain;
  return direction(alone.gain) === 'unclear'
    ? figure(points(difference), 'points from what learnt without a teacher: within chance')
    : figure(points(difference), `points ${difference > 0 ? 'over' : 'from'} what learnt without a teacher`);
}

function warningList(data: ReportData): Markup | null {
  const { gate } = data.result;
  const warnings = [...data.warnings];
  if (gate && !gate.passed) {
    const { studentInt8 } = data.result;
    const where = studentInt8?.file ? `: it is in ${studentInt8.file}` : '';
    warnings.unshift({
      level: 'warning',
      message: `${capital(shutGate(gate))}. The int8 file does not ship${where}.`,
    });
  }
  if (warnings.length === 0) return null;
  return html`<section class="warnings" aria-label="Warnings and notes"><ul>${warnings.map(
    (warning) =>
      html`<li class="${warning.level}"><b>${warning.level === 'warning' ? 'Warning' : 'Note'}</b> <bdi>${warning.message}</bdi></li>`,
  )}</ul></section>`;
}
