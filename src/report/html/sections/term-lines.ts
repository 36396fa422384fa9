import type { CurvePoint } from '../../report-data.ts';
import type { LineSeries } from '../charts/line-chart.ts';
import { compact, decimal } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** Colours of loss terms, in the order in which terms first occur. */
const TERM_COLORS = ['term-1', 'term-2', 'term-3', 'term-4', 'term-5'];

/** A line for each name in a record of every point, by step. */
export function byTerm(
  curve: readonly CurvePoint[],
  values: (point: CurvePoint) => Record<string, number> | undefined,
): LineSeries[] {
  const terms = [...new Set(curve.flatMap((point) => Object.keys(values(point) ?? {})))];
  // The sum last: its colour is the text's, whatever terms there are.
  const named = terms.filter((term) => term !== 'total');
  if (terms.includes('total')) named.push('total');
  return named.map((term, index) => ({
    name: term,
    color: term === 'total' ? 'term-total' : TERM_COLORS[index % TERM_COLORS.length]!,
    points: curve.flatMap((point) => {
      const value = values(point)?.[term];
      return value === undefined
        ? []
        : [{ x: point.step, y: value, title: `${term}, step ${decimal(point.step)}: ${compact(value)}` }];
    }),
  }));
}

export function legend(
  series: readonly { name: string; color: string; note?: string | undefined }[],
): Markup {
  return html`<ul class="legend">${series.map(
    (entry) =>
      html`<li><span class="key ${entry.color}"></span><bdi>${entry.name}</bdi>${entry.note && html` <span class="muted">${entry.note}</span>`}</li>`,
  )}</ul>`;
}
