import type { MetricInfo } from '../../../metrics/metric.ts';
import { shownValue } from '../../main-metric.ts';
import {
  type CurvePoint,
  isDistillReport,
  type ReportData,
  type ValidationPoint,
} from '../../report-data.ts';
import { mainMetric, metricValue } from '../../result.ts';
import { type LineSeries, lineChart } from '../charts/line-chart.ts';
import { compact, decimal, percentMark, seconds } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { byTerm, legend } from './term-lines.ts';

/** One unit for all marks of an axis: seconds up to three minutes, then minutes, then hours. */
function timeFormat(curves: readonly LineSeries[]): (value: number) => string {
  const last = Math.max(0, ...curves.flatMap((series) => series.points.map((point) => point.x)));
  const [unit, size] = last < 180 ? ['s', 1] : last < 3 * 3600 ? ['min', 60] : ['h', 3600];
  return (value) => `${compact(value / size)}\u202f${unit}`;
}

/** The level that the student's curve is compared with; none without a teacher. */
function teacherLevel(data: ReportData): { readonly value: number; readonly split: string } | undefined {
  if (!isDistillReport(data)) return undefined;
  const { teacherValidation, result } = data;
  if (teacherValidation !== null) return { value: teacherValidation, split: 'validation' };
  if (!result.teacher) return undefined;
  const value = metricValue(result.teacher, mainMetric(result));
  return Number.isNaN(value) ? undefined : { value, split: 'test' };
}

/** Learning curves of student and baseline, and what each term of the student's loss did. */
export function learningSection(data: ReportData): Markup {
  const { student } = data.curves;
  const { baseline } = data.validation;
  const metric = mainMetric(data.result);
  const teacher = teacherLevel(data);
  const level = teacher && shownValue(metric, teacher.value);
  const curves: LineSeries[] = [validation('Student', 'student', data.validation.student, metric)];
  if (baseline) curves.push(validation('Baseline', 'baseline', baseline, metric));
  const beginnings = stageBeginnings(student, (point) => point.step);
  const losses = byTerm(student, (point) => point.losses);
  // The norm of the sum is nearly that of the strongest term: it would only hide it.
  const norms = byTerm(student, (point) => point.gradientNorms).filter(
    (series, _, all) => series.name !== 'total' || all.length === 1,
  );
  return html`<section aria-labelledby="learning">
<h2 id="learning">How it learned</h2>
<figure class="wide">
<figcaption><h3>Validation ${metric.title} by seconds of training</h3>${legend(curves.map((series) => ({ ...series, note: best(series, metric) })))}</figcaption>
${lineChart({
  title: `Validation ${metric.title} of student${baseline ? ' and baseline' : ''} by seconds of training${teacher ? `; the teacher’s is ${level}` : ''}`,
  series: curves,
  formatX: timeFormat(curves),
  formatY: metric.format === 'percent' ? percentMark : compact,
  height: 300,
  reference: teacher
    ? {
        y: teacher.value,
        label: `Teacher ${level} (${teacher.split})`,
        color: 'teacher',
      }
    : undefined,
  fromZero: 'unless-flat',
  beginnings: stageBeginnings(student, (point) => point.seconds),
})}
</figure>
<div class="pair">
<figure>
<figcaption><h3>Loss by term</h3><p class="about">The student’s terms before their weights, and the weighted total, by training step.</p>${legend(losses)}</figcaption>
${lineChart({ title: 'The terms of the student’s loss by training step', series: losses, formatX: (value) => decimal(value), formatY: compact, height: 220, fromZero: true, beginnings })}
</figure>
<figure>
<figcaption><h3>Gradient norm by term</h3><p class="about">How hard each term pulls, weight included, by training step, on a logarithmic axis. A line far below the others is a term that teaches nothing.</p>${legend(norms)}</figcaption>
${lineChart({ title: 'Gradient norms of the student’s loss terms by training step', series: norms, formatX: (value) => decimal(value), formatY: compact, height: 220, scaleY: 'log', beginnings })}
</figure>
</div>
</section>`;
}

/** Where stages of the training begin: at the last row of the one before; none where it had but one. */
function stageBeginnings(
  curve: readonly CurvePoint[],
  placeOf: (point: CurvePoint) => number,
): { x: number; label: string }[] {
  return curve.flatMap((point, index) => {
    const before = curve[index - 1];
    const { trainingStage } = point;
    if (trainingStage === undefined || trainingStage === before?.trainingStage) return [];
    return [{ x: before ? placeOf(before) : 0, label: trainingStage }];
  });
}

function validation(
  name: string,
  color: string,
  points: readonly ValidationPoint[],
  metric: MetricInfo,
): LineSeries {
  return {
    name,
    color,
    points: points.map(({ step, seconds: x, value }) => ({
      x,
      y: value,
      title: `${name}, step ${decimal(step)}, ${seconds(x)}: ${shownValue(metric, value)}`,
    })),
  };
}

function best(series: LineSeries, metric: MetricInfo): string | undefined {
  if (series.points.length === 0) return undefined;
  const values = series.points.map((point) => point.y);
  return `best ${shownValue(metric, metric.better === 'higher' ? Math.max(...values) : Math.min(...values))}`;
}
