import { accuracyInterval } from '../../../metrics/interval.ts';
import type { MetricInfo } from '../../../metrics/metric.ts';
import { shownValue } from '../../main-metric.ts';
import type { ReportData } from '../../report-data.ts';
import { answersOneClass, type ModelResult, mainMetric, metricValue } from '../../result.ts';
import { bar } from '../charts/bar.ts';
import { tradeOff } from '../charts/scatter.ts';
import { bytes, capital, compact, decimal, milliseconds, percent, quantity } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import type { ShownModel } from '../models.ts';

/** Half the width of an accuracy's interval, in points. */
function half(accuracy: number, tests: number): string {
  const { low, high } = accuracyInterval(Math.round(accuracy * tests), tests);
  return decimal(((high - low) / 2) * 100, 1);
}

interface Measure {
  title: string;
  better: 'more' | 'less' | null;
  /** What a bar is drawn for. */
  value: (result: ModelResult) => number;
  show: (result: ModelResult) => string;
  /** The value of a full bar; the largest of the models when absent. */
  full?: number;
}

/** A metric of the models; an accuracy with its interval. */
function measureOf(metric: MetricInfo, tests: number, isAccuracy: boolean): Measure {
  return {
    title: capital(metric.title),
    better: metric.better === 'higher' ? 'more' : 'less',
    value: (model) => Math.max(0, metricValue(model, metric) || 0),
    show: (model) => {
      const value = metricValue(model, metric);
      return `${shownValue(metric, value)}${isAccuracy ? ` ± ${half(value, tests)}` : ''}`;
    },
    ...(metric.format === 'percent' && { full: 1 }),
  };
}

/** Shown where the objective teaches reasons. int8 files have no gradients to ask. */
const REASONS: Measure = {
  title: 'Cosine of its reasons with the teacher’s',
  better: 'more',
  value: (model) => Math.max(0, model.attributionCosine ?? 0),
  show: (model) => model.attributionCosine?.toFixed(2) ?? '–',
  full: 1,
};

/** The share of a file's multiplications that run in int8: a file is int8 by what it computes, not by its name. */
const INT8_SHARE: Measure = {
  title: 'Computed in int8',
  better: null,
  value: (model) => model.int8Share ?? 0,
  show: (model) => (model.int8Share === undefined ? '–' : percent(model.int8Share)),
  full: 1,
};

/** The models side by side, measure by measure, and the trade of the main metric for speed as a drawing. */
export function scorecardSection(data: ReportData, models: readonly ShownModel[]): Markup {
  const tests = data.data.splits.test;
  const { metrics } = data.result;
  const main = mainMetric(data.result);
  const oneClass = answersOneClass(data.result);
  const sample = data.unit.replace(/s$/, '');
  const measures: Measure[] = [
    ...metrics.map((metric) => measureOf(metric, tests, oneClass && metric === main)),
    {
      title: `${capital(data.unit)} a second`,
      better: 'more',
      value: (model) => model.throughput,
      show: (model) => compact(Number(model.throughput.toPrecision(3))),
    },
    {
      title: `Latency, one ${sample}`,
      better: 'less',
      value: (model) => model.latencyMs.one,
      show: (model) => milliseconds(model.latencyMs.one),
    },
    {
      title: `Latency, 32 ${data.unit}`,
      better: 'less',
      value: (model) => model.latencyMs.thirtyTwo,
      show: (model) => milliseconds(model.latencyMs.thirtyTwo),
    },
    {
      title: 'File size',
      better: 'less',
      value: (model) => model.bytes,
      show: (model) => bytes(model.bytes),
    },
    {
      title: 'Parameters',
      better: null,
      value: (model) => model.parameters,
      show: (model) => quantity(model.parameters),
    },
  ];
  if (data.result.studentInt8?.int8Share !== undefined) measures.push(INT8_SHARE);
  if (data.result.student.attributionCosine !== undefined) measures.splice(metrics.length, 0, REASONS);
  return html`<section aria-labelledby="scorecard">
<h2 id="scorecard">Side by side</h2>
<p class="about">Measured on the files that ship, reloaded from disk, on ${data.result.machine.cores} ${data.result.machine.cores === 1 ? 'core' : 'cores'} (<bdi>${data.result.engine}</bdi>).${oneClass && ` ± is half the 95\u202f% interval of an accuracy on ${decimal(tests)} ${data.unit} (Wilson). Two models are told apart more finely than that, by the ${data.unit} that only one of them gets right.`}${readBy(data)}</p>
<table class="scorecard" role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col"><span class="hidden">Measure</span></th>${models.map(
    (model) =>
      html`<th role="columnheader" scope="col"><span class="key ${model.key}"></span>${model.title}<span class="small muted"><bdi>${model.about}</bdi></span></th>`,
  )}</tr></thead>
<tbody role="rowgroup">${measures.map((measure) => {
    const values = models.map((model) => measure.value(model.result));
    const full = measure.full ?? Math.max(...values);
    return html`<tr role="row"><th role="rowheader" scope="row">${measure.title}${
      measure.better && html`<span class="small muted">${measure.better} is better</span>`
    }</th>${models.map(
      (model, index) =>
        html`<td role="cell"><span class="model" aria-hidden="true"><span class="key ${model.key}"></span>${model.title}</span><span class="number">${measure.show(model.result)}</span>${bar(full > 0 ? values[index]! / full : 0, model.key)}</td>`,
    )}</tr>`;
  })}</tbody>
</table>
${
  models.length > 1 &&
  html`<figure>
<figcaption><h3>${capital(main.title)} for speed</h3><p class="about">${capital(main.title)} against ${data.unit} a second, on a logarithmic axis; the area of a disc is the size of its file. ${main.better === 'higher' ? 'Up' : 'Down'} and to the right is better.</p></figcaption>
${tradeOff(models, data.unit, main)}
</figure>`
}
</section>`;
}

function readBy({ result: { shippedCheck: check }, unit }: ReportData): Markup | string {
  // Of pairs no reader answers: nothing was compared.
  if (!check || check.samples === 0) return '';
  return html` <bdi>${check.reader}</bdi> read the student's folder and gave the measured answers to ${check.samples} ${unit}, alone and in batches.`;
}
