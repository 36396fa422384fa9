import { PRECISIONS } from '../../../export/precisions.ts';
import { accuracyInterval } from '../../../metrics/interval.ts';
import {
  bestBaseline,
  headlineOf,
  mayQuoteRetention,
  speedBesideTeacher,
  studentHeadline,
  worthOf,
} from '../../conclusion.ts';
import { shutGate } from '../../gate-sentences.ts';
import { directionOf, fromOther, isOrHas, lowerBy, shownValue, signed, unitOf } from '../../main-metric.ts';
import { type DistillReport, isDistillReport, type ReportData } from '../../report-data.ts';
import {
  answersOneClass,
  type FurtherResult,
  type Gate,
  int8Ships,
  type ModelResult,
  mainMetric,
  metricValue,
  type RunResult,
  type TrainResult,
} from '../../result.ts';
import { shutRuntimes } from '../../runtime-sentences.ts';
import { slowerInt8 } from '../../slower-int8.ts';
import { brand, dateOf, figure } from '../document.ts';
import { bytes, capital, decimal, percent, quantity } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** The run in one sentence, with its own numbers. */
export function headline(data: ReportData): string {
  return isDistillReport(data) ? headlineOf(data.result, data.unit) : studentHeadline(data.result, data.unit);
}

/** Headline, what it means in plain words, and the four figures that people quote. */
export function summarySection(data: ReportData): Markup {
  const distilled = isDistillReport(data);
  return html`<header class="summary">
${brand(distilled ? 'distillation report' : 'training report')}
<p class="run"><bdi>${data.name}</bdi> <span class="muted">· ${dateOf(data.finishedAt)} · seed ${data.result.seed}</span></p>
<h1>${headline(data)}</h1>
<p class="lede">${distilled ? besideTeacher(data) : alone(data)}</p>
<ul class="figures">
${distilled ? figuresBesideTeacher(data) : figuresAlone(data)}
</ul>
</header>
${warningList(data)}`;
}

/** `, in 26 classes,`, where answers are classes. */
function inClasses({ labels, result }: ReportData): string {
  return answersOneClass(result) ? `, in ${labels.length} classes` : '';
}

function besideTeacher(data: DistillReport): Markup {
  const { result, unit } = data;
  const { teacher, student, studentInt8 } = result;
  const metric = mainMetric(result);
  const { retention, retentionInterval: interval } = result;
  const kept =
    interval && retention !== null && mayQuoteRetention(result)
      ? ` That is ${percent(retention)} of it (95\u202f% interval: ${percent(interval.low)} to ${percent(interval.high)}).`
      : '';
  return html`On ${decimal(data.data.splits.test)} ${unit} that no model had seen${inClasses(data)}, the student ${isOrHas(metric, student)}${teacher && `; its teacher, ${shown(result, teacher)}`}.${kept}
${worthOf(result, unit, data.data.labelled).map((sentence) => html` ${sentence}`)}${studentInt8 && html` ${int8Sentence(result, studentInt8)}`}${(result.further ?? []).map((one) => html` ${furtherSentence(result, one)}`)}`;
}

function alone(data: ReportData): Markup {
  const { result, unit } = data;
  const { student, chance = 0 } = result;
  const tests = data.data.splits.test;
  const { accuracy } = student;
  return html`Trained on ${decimal(data.data.labelled)} labels, without a teacher, and measured on ${decimal(tests)} ${unit} that it had not seen${inClasses(data)}.${
    accuracy !== undefined &&
    ` The 95\u202f% interval of its accuracy is ${intervalOf(accuracy, tests)}; always giving the most frequent class is right ${percent(chance)} of the time.`
  }`;
}

function intervalOf(accuracy: number, tests: number): string {
  const { low, high } = accuracyInterval(Math.round(accuracy * tests), tests);
  return `${percent(low)} to ${percent(high)}`;
}

function figuresBesideTeacher(data: DistillReport): Markup {
  const { result, unit } = data;
  const { teacher, student, speedup, teacherCalls } = result;
  if (!teacher || speedup === null) return figuresAlone(data);
  const retention = mayQuoteRetention(result) ? result.retention : null;
  return html`${
    retention !== null && retention <= 1
      ? figure(percent(retention), `of the teacher’s ${mainMetric(result).title} kept`)
      : figure(shown(result, student), `${quality(result)}; its teacher ${shown(result, teacher)}`)
  }
${speedup > 0.95 ? figure(ratio(speedup), 'the teacher’s throughput') : figure(ratio(1 / Math.max(speedup, 1e-9)), 'slower than the teacher')}
${student.bytes <= teacher.bytes ? figure(ratio(teacher.bytes / Math.max(1, student.bytes), 1), 'smaller than the teacher') : figure(ratio(student.bytes / Math.max(1, teacher.bytes), 1), 'the teacher’s size')}
${gainFigure(result) ?? figure(decimal(teacherCalls), `${unit} that the teacher answered`)}`;
}

function figuresAlone({ result, unit }: ReportData): Markup {
  const { student, metrics } = result;
  const [main, second] = metrics;
  return html`${answersOneClass(result) ? figure(shown(result, student), `of the test ${unit} are right`) : figure(shown(result, student), main?.title ?? '')}
${second && figure(shownValue(second, metricValue(student, second)), second.title)}
${figure(bytes(student.bytes), `${quantity(student.parameters)} parameters`)}
${figure(decimal(student.throughput), `${unit} a second`)}`;
}

/** What the main metric says: an accuracy is of what is right. */
function quality(result: TrainResult): string {
  return answersOneClass(result) ? 'right' : mainMetric(result).title;
}

/** A model's value of the main metric. */
function shown(result: TrainResult, model: ModelResult): string {
  const metric = mainMetric(result);
  return shownValue(metric, metricValue(model, metric));
}

/** `24×`, `2.4×`. */
function ratio(value: number, digits = value < 9.95 ? 1 : 0): string {
  return `${decimal(value, digits)}×`;
}

/** What int8 makes of the student, and whether it is in the folder. */
function int8Sentence(result: RunResult, studentInt8: ModelResult): string {
  const { gate, speedupInt8 } = result;
  const ships = int8Ships(result) ? '' : '; it was kept back and does not ship';
  const speed = speedupInt8 === null ? '' : ` ${speedBesideTeacher(speedupInt8)},`;
  return `As int8 it takes ${bytes(studentInt8.bytes)},${speed} and ${changeOf(result, studentInt8, gate)}${ships}.`;
}

/** What another precision makes of the student, and whether it is in the folder. */
function furtherSentence(result: RunResult, { precision, result: model, gate }: FurtherResult): string {
  const ships = gate.passed ? '' : '; it was kept back and does not ship';
  return `In ${PRECISIONS[precision].title} it takes ${bytes(model.bytes)} and ${changeOf(result, model, gate)}${ships}.`;
}

/** `differs by −0.40 points`, `its perplexity is 1.20 % higher`: beside the student, with the interval. */
function changeOf(result: RunResult, model: ModelResult, gate: Gate | null | undefined): string {
  const { student } = result;
  const metric = mainMetric(result);
  if (metric.better === 'higher') {
    const change = gate ? -gate.drop : metricValue(model, metric) - metricValue(student, metric);
    return `differs by ${signed(metric, change, 2)}${unitOf(metric)}${gate ? intervalOfDrop(result, gate) : ''}`;
  }
  const drop = 1 - metricValue(student, metric) / metricValue(model, metric);
  const { low = null, high = null } = gate?.interval ?? {};
  return `its ${metric.title} is ${lowerBy(metric, fromOther({ difference: gate?.drop ?? drop, low, high }), 2)}`;
}

/** The interval of what a file gains over the student, in brackets. */
function intervalOfDrop(result: TrainResult, { interval }: Gate): string {
  if (!interval) return '';
  const metric = mainMetric(result);
  return ` (95\u202f% interval: ${signed(metric, -interval.high, 2)} to ${signed(metric, -interval.low, 2)})`;
}

/** The difference to the best of what learnt from the labels alone, where it is more than chance. */
function gainFigure(result: RunResult): Markup | null {
  const best = bestBaseline(result, 'labels');
  if (!best || best.gain.difference === null) return null;
  const metric = mainMetric(result);
  const { difference } = best.gain;
  const isUnclear = directionOf(best.gain) === 'unclear';
  if (metric.better === 'lower') {
    const number = `${signed(metric, -difference)}${unitOf(metric)}`;
    return figure(
      number,
      `${metric.title}, beside what learnt without a teacher${isUnclear ? ': within chance' : ''}`,
    );
  }
  const unit = unitOf(metric).trim();
  const said = unit === 'points' ? 'points ' : '';
  const number = `${signed(metric, difference)}${unit === 'points' ? '' : unitOf(metric)}`;
  return isUnclear
    ? figure(number, `${said}from what learnt without a teacher: within chance`)
    : figure(number, `${said}${difference > 0 ? 'over' : 'from'} what learnt without a teacher`);
}

function warningList(data: ReportData): Markup | null {
  const { gate, studentInt8, further = [] } = data.result;
  const slower = slowerInt8(data.result);
  const warnings: ReportData['warnings'][number][] = [
    ...data.warnings,
    ...(slower ? [{ level: 'note' as const, message: `${capital(slower)}.` }] : []),
  ];
  if (gate && !gate.passed) {
    const where = studentInt8?.file ? `: it is in ${studentInt8.file}` : '';
    warnings.unshift({
      level: 'warning',
      message: `${capital(shutGate({ ...data.result, gate }))}. The int8 file does not ship${where}.`,
    });
  }
  for (const { precision, result, gate: own } of further) {
    if (own.passed) continue;
    warnings.unshift({
      level: 'warning',
      message: `${capital(shutGate({ ...data.result, gate: own }, precision))}. The file does not ship: it is in ${result.file}.`,
    });
  }
  const file = data.result.student.file;
  for (const sentence of shutRuntimes(data.result)) {
    warnings.unshift({
      level: 'warning',
      message: `${capital(sentence)}. No student ships${file ? `: it is in ${file.replace(/[/\\]onnx[/\\].*/, '')}` : ''}.`,
    });
  }
  if (warnings.length === 0) return null;
  return html`<section class="warnings" aria-label="Warnings and notes"><ul>${warnings.map(
    (warning) =>
      html`<li class="${warning.level}"><b>${warning.level === 'warning' ? 'Warning' : 'Note'}</b> <bdi>${warning.message}</bdi></li>`,
  )}</ul></section>`;
}
