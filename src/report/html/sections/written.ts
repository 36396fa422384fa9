import type { CurvePoint, ReportData } from '../../report-data.ts';
import { lineChart } from '../charts/line-chart.ts';
import { compact, decimal, percentMark } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { byTerm, legend } from './term-lines.ts';

/** What a student wrote while it was trained; null where it wrote nothing. */
export function writtenSection({ curves: { student } }: Pick<ReportData, 'curves'>): Markup | null {
  const lengths = byTerm(student, only(['tokens']));
  if (lengths.length === 0) return null;
  const shares = byTerm(student, only(['repetition', 'ended', 'writing', 'judging']));
  const formatX = (value: number) => decimal(value);
  return html`<section aria-labelledby="written">
<h2 id="written">What the student wrote while it learned</h2>
<div class="pair">
<figure>
<figcaption><h3>Length of a text</h3><p class="about">Tokens behind the beginning, the mean since the last evaluation, by training step. Texts that become ever shorter please the teacher without saying anything.</p>${legend(lengths)}</figcaption>
${lineChart({ title: 'Mean length of the student’s texts by training step', series: lengths, formatX, formatY: compact, height: 220, fromZero: true })}
</figure>
<figure>
<figcaption><h3>Shares</h3><p class="about">repetition: stretches of four tokens that a text had before; ended: texts that came to an end by themselves; writing and judging: of the time of the training.</p>${legend(shares)}</figcaption>
${lineChart({ title: 'Repetition, ends and time of the student’s texts by training step', series: shares, formatX, formatY: percentMark, height: 220, fromZero: true })}
</figure>
</div>
</section>`;
}

/** Some of the numbers of a point. */
function only(names: readonly string[]): (point: CurvePoint) => Record<string, number> | undefined {
  return ({ written }) =>
    written &&
    Object.fromEntries(names.flatMap((name) => (name in written ? [[name, written[name] as number]] : [])));
}
