import { html, type Markup } from '../markup.ts';
import { at } from '../scale.ts';

export interface HistogramBin {
  from: number;
  to: number;
  count: number;
}

const HEIGHT = 150;
const BOTTOM = 22;

/** Counts by range, each bin a column with its numbers as a title. */
export function histogram(title: string, bins: readonly HistogramBin[], unit: string): Markup {
  const most = Math.max(0, ...bins.map((bin) => bin.count));
  if (most === 0) return html`<p class="empty">Nothing was recorded for this chart.</p>`;
  const width = 1 / bins.length;
  const every = Math.ceil(bins.length / 8);
  const plot = HEIGHT - BOTTOM;
  return html`<svg class="chart" width="100%" height="${HEIGHT}" role="img" aria-label="${title}">
<line class="grid" x1="0" x2="100%" y1="${plot}" y2="${plot}"/>
${bins.map((bin, index) => {
  const height = Number(((bin.count / most) * (plot - 8)).toFixed(1));
  return html`<rect class="column" x="${at(width * (index + 0.06))}" y="${plot - height}" width="${at(width * 0.88)}" height="${height}" rx="2"><title>${bin.from} to ${bin.to - 1} ${unit}: ${bin.count}</title></rect>${
    index % every === 0 &&
    html`<text class="tick start" x="${at(width * (index + 0.06))}" y="${HEIGHT - 6}">${bin.from}</text>`
  }`;
})}
</svg>`;
}
