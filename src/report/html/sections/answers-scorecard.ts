import { formatValue } from '../../../metrics/format-metric.ts';
import type { AnswersReport } from '../../answers-report.ts';
import type { AnswersModel } from '../../answers-result.ts';
import { shortName } from '../../result.ts';
import { bytes, capital, compact, milliseconds, percent, quantity } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** A model as the page shows it. */
interface Column {
  readonly key: string;
  readonly title: string;
  readonly about: string;
  readonly result: AnswersModel;
}

const BASELINE_COLORS = ['baseline', 'term-4', 'term-5', 'term-2'];

/** The models side by side, measure by measure: every metric of every output, then speed and size. */
export function answersScorecard(data: AnswersReport): Markup {
  const { result, unit } = data;
  const columns = columnsOf(data);
  const sample = unit.replace(/s$/, '');
  const measures = [
    ...result.metrics.map((metric) => ({
      title: capital(metric.title),
      about: `${metric.better === 'higher' ? 'more' : 'less'} is better`,
      show: ({ metrics }: AnswersModel) => formatValue(metric, metrics[metric.name] ?? Number.NaN),
    })),
    {
      title: `${capital(unit)} a second`,
      about: 'more is better',
      show: ({ throughput }: AnswersModel) => compact(Number(throughput.toPrecision(3))),
    },
    {
      title: `Latency, one ${sample}`,
      about: 'less is better',
      show: ({ latencyMs }: AnswersModel) => milliseconds(latencyMs.one),
    },
    {
      title: `Latency, 32 ${unit}`,
      about: 'less is better',
      show: ({ latencyMs }: AnswersModel) => milliseconds(latencyMs.thirtyTwo),
    },
    { title: 'File size', about: 'less is better', show: (model: AnswersModel) => bytes(model.bytes) },
    { title: 'Parameters', about: '', show: (model: AnswersModel) => quantity(model.parameters) },
    {
      title: 'Computed in int8',
      about: '',
      show: ({ int8Share }: AnswersModel) => (int8Share === undefined ? '–' : percent(int8Share)),
    },
  ];
  return html`<section aria-labelledby="scorecard">
<h2 id="scorecard">Side by side</h2>
<p class="about">Measured on the files that ship, reloaded from disk, on ${result.machine.cores} ${result.machine.cores === 1 ? 'core' : 'cores'} (<bdi>${result.engine}</bdi>).${result.shippedCheck && ` ${capital(result.shippedCheck.reader)} read the student's folder and gave the measured answers to ${result.shippedCheck.samples} ${unit}.`}</p>
<table class="scorecard" role="table">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col"><span class="hidden">Measure</span></th>${columns.map(
    ({ key, title, about }) =>
      html`<th role="columnheader" scope="col"><span class="key ${key}"></span>${title}<span class="small muted"><bdi>${about}</bdi></span></th>`,
  )}</tr></thead>
<tbody role="rowgroup">${measures.map(
    ({ title, about, show }) =>
      html`<tr role="row"><th role="rowheader" scope="row">${title}${about && html`<span class="small muted">${about}</span>`}</th>${columns.map(
        (column) =>
          html`<td role="cell"><span class="model" aria-hidden="true"><span class="key ${column.key}"></span>${column.title}</span><span class="number">${show(column.result)}</span></td>`,
      )}</tr>`,
  )}</tbody>
</table>
</section>`;
}

function columnsOf({ result, models }: AnswersReport): Column[] {
  const { teacher, student, studentInt8, gate, baselines = [] } = result;
  const int8 = gate?.passed === false ? 'quantised; kept back, it does not ship' : 'the student, quantised';
  return [
    ...(teacher ? [{ key: 'teacher', title: 'Teacher', about: models.teacher ?? '', result: teacher }] : []),
    { key: 'student', title: 'Student', about: models.student, result: student },
    ...(studentInt8 ? [{ key: 'int8', title: 'Student int8', about: int8, result: studentInt8 }] : []),
    ...baselines.map(({ name, title, result: own }, i) => ({
      key: BASELINE_COLORS[i % BASELINE_COLORS.length] as string,
      title: capital(shortName(name)),
      about: title,
      result: own,
    })),
  ];
}
