import { compact } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { linearScale, ticks } from '../scale.ts';

const SIZE = 420;
const LEFT = 52;
const BOTTOM = 28;

/** Points of several series over two numbers of one unit; on the dotted diagonal both are one. */
export function pointsChart(chart: {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly {
    readonly name: string;
    readonly color: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
}): Markup {
  const values = chart.series.flatMap(({ points }) => points.flat());
  if (values.length === 0) return html`<p class="empty">Nothing was recorded for this chart.</p>`;
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const scale = linearScale(low, high);
  const plot = SIZE - BOTTOM - 8;
  const x = (value: number) => Number((LEFT + scale(value) * (SIZE - LEFT - 14)).toFixed(1));
  const y = (value: number) => Number((8 + (1 - scale(value)) * plot).toFixed(1));
  return html`<svg class="square" viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="${chart.title}: ${chart.y} over ${chart.x}">
${ticks(low, high, 5).map(
  (tick) => html`<line class="grid" x1="${LEFT}" x2="${SIZE - 14}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick end" x="${LEFT - 6}" y="${y(tick) + 4}">${compact(tick)}</text>
<text class="tick middle" x="${x(tick)}" y="${SIZE - 6}">${compact(tick)}</text>`,
)}
<line class="ideal" x1="${x(low)}" x2="${x(high)}" y1="${y(low)}" y2="${y(high)}"/>
${chart.series.map(({ name, color, points }) =>
  points.map(
    ([px, py]) =>
      html`<circle class="mark ${color}" cx="${x(px)}" cy="${y(py)}" r="2.5"><title>${name}: ${compact(py)}, ${chart.x} ${compact(px)}</title></circle>`,
  ),
)}
</svg>`;
}
