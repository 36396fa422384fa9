import type { CurvePoint, ReportData } from '../../report-data.ts';
import { lineChart } from '../charts/line-chart.ts';
import { compact, decimal } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { byTerm, legend } from './term-lines.ts';

/** How strongly each term of the loss counted over time, and from what that was decided; null where it never changed. */
export function weightsSection({ curves: { student } }: Pick<ReportData, 'curves'>): Markup | null {
  const weights = byTerm(student, (point) => point.weights);
  if (weights.length === 0) return null;
  const causes = byTerm(student, (point) => point.causes);
  const formatX = (value: number) => decimal(value);
  return html`<section aria-labelledby="weights">
<h2 id="weights">What counted, and when</h2>
<div class="pair">
<figure>
<figcaption><h3>Weight by term</h3><p class="about">By what each term was multiplied in the loss, the mean over its samples, by training step, on a logarithmic axis.</p>${legend(weights)}</figcaption>
${lineChart({ title: 'The weights of the loss terms by training step', series: weights, formatX, formatY: compact, height: 220, scaleY: 'log' })}
</figure>
${
  causes.length > 0 &&
  html`<figure>
<figcaption><h3>The causes</h3><p class="about">complexity: how uncertain the teacher is; divergence: how far student and teacher are apart (both 0 to 1); effect: a term’s share in what training changes the validation loss, below 0 where it raises it.</p>${legend(causes)}</figcaption>
${lineChart({ title: 'What the weights are decided from, by training step', series: causes, formatX, formatY: compact, height: 220 })}
</figure>`
}
</div>
${coefficientTable(student)}
</section>`;
}

/** The coefficients at the end of the training: how a term's weight follows from the causes. */
function coefficientTable(curve: readonly CurvePoint[]): Markup | null {
  const last = curve.findLast((point) => point.coefficients)?.coefficients;
  if (!last) return null;
  const terms = [...new Set(Object.keys(last).map((name) => name.slice(name.indexOf('/') + 1)))];
  const value = (coefficient: string, term: string) => {
    const number = last[`${coefficient}/${term}`];
    return html`<td class="end">${number === undefined ? '' : decimal(number, 2).replace('-', '\u2212')}</td>`;
  };
  return html`<figure>
<figcaption><h3>What was learnt</h3><p class="about">At the end of the training. A sample’s weight rises with a cause where its number is above 0, and falls with it where it is below.</p></figcaption>
<table class="plain"><thead><tr><th scope="col">Term</th><th scope="col" class="end">α · complexity</th><th scope="col" class="end">β · divergence</th><th scope="col" class="end">γ · effect</th></tr></thead>
<tbody>${terms.map(
    (term) =>
      html`<tr><th scope="row"><bdi>${term}</bdi></th>${value('alpha', term)}${value('beta', term)}${value('gamma', term)}</tr>`,
  )}</tbody></table>
</figure>`;
}
