import type { AppliedTransform } from '../../compression.ts';
import { shownValue } from '../../main-metric.ts';
import type { ReportData } from '../../report-data.ts';
import { mainMetric } from '../../result.ts';
import { quantity } from '../format.ts';
import { html, type Markup } from '../markup.ts';

type Size = NonNullable<AppliedTransform['before']>;

/** What the recipe's transforms did to size and metrics, round by round; null where it lists none. */
export function compressionSection(data: Pick<ReportData, 'result'>): Markup | null {
  const { compression } = data.result;
  if (!compression || compression.length === 0) return null;
  const metric = mainMetric(data.result);
  const value = (evaluation: Size['validation']) => {
    const own = evaluation?.[metric.name];
    return html`<td class="end">${own === undefined || own === null ? '' : shownValue(metric, own)}</td>`;
  };
  const row = (name: string, size: Size, cut?: Size['validation']) =>
    html`<tr><th scope="row"><bdi>${name}</bdi></th><td class="end">${quantity(size.parameters)}</td><td class="end">${size.multiplications === undefined ? '' : quantity(size.multiplications)}</td>${value(cut)}${value(size.validation)}</tr>`;
  const rows = (one: AppliedTransform) => [
    ...(one.before ? [row(`before ${one.title}`, one.before)] : []),
    ...(one.rounds ?? []).map((round) => row(round.name, round, round.cut)),
    ...(one.after && !one.rounds?.length ? [row(`after ${one.title}`, one.after)] : []),
  ];
  return html`<section aria-labelledby="compression">
<h2 id="compression">What was compressed</h2>
${compression.map(
  (one) =>
    html`<p class="about"><b><bdi>${one.title}</bdi></b>, ${one.phases.join(' and ')} training${one.summary ? html`: <bdi>${one.summary}</bdi>` : ''}.</p>`,
)}
${
  compression.some(({ before }) => before) &&
  html`<table class="plain"><thead><tr><th scope="col">Network</th><th scope="col" class="end">Parameters</th><th scope="col" class="end">Multiplications a sample</th><th scope="col" class="end">Right after the cut</th><th scope="col" class="end">Validation ${metric.title}</th></tr></thead>
<tbody>${compression.map(rows)}</tbody></table>`
}
</section>`;
}
