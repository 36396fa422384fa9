import { html, type Markup } from '../markup.ts';
import { at, linearScale, logScale, logTicks, ticks } from '../scale.ts';

export interface LineSeries {
  name: string;
  /** A colour class of the style sheet, e.g. `student`. */
  color: string;
  points: { x: number; y: number; title: string }[];
}

export interface LineChart {
  title: string;
  series: LineSeries[];
  formatX: (value: number) => string;
  formatY: (value: number) => string;
  /** Pixels. */
  height: number;
  /** A dashed level to compare with. */
  reference?: { y: number; label: string; color: string } | undefined;
  scaleY?: 'linear' | 'log';
  /** Whether the vertical axis starts at 0. */
  fromZero?: boolean;
  /** Vertical lines: what began there. */
  beginnings?: readonly { x: number; label: string }[];
}

const AXIS_WIDTH = 44;
const BOTTOM = 24;
const TOP = 14;
/** Above this number of points a line shows them on hovering only. */
const VISIBLE_MARKS = 60;

/** Lines over a common axis, as wide as the page gives; or a sentence when there is nothing to draw. */
export function lineChart(chart: LineChart): Markup {
  const all = chart.series.flatMap((series) => series.points).filter(isDrawable(chart.scaleY));
  if (all.length === 0) return html`<p class="empty">Nothing was recorded for this chart.</p>`;
  const values = all.map((point) => point.y).concat(chart.reference ? [chart.reference.y] : []);
  const low = chart.fromZero ? 0 : Math.min(...values);
  const high = Math.max(...values);
  const plotHeight = chart.height - BOTTOM;
  const isLog = chart.scaleY === 'log';
  const scaleY = isLog ? logScale(low / 1.2, high * 1.2) : linearScale(low, high + (high - low) * 0.04);
  const y = (value: number) => Number((plotHeight - scaleY(value) * (plotHeight - TOP)).toFixed(1));
  const lastX = Math.max(...all.map((point) => point.x));
  const firstX = Math.min(0, ...all.map((point) => point.x));
  const x = linearScale(firstX, lastX);

  // The first series is drawn last: what a chart is about lies above what it is compared with.
  const layers = chart.series.toReversed();
  const lines = layers.map((series) => {
    const points = series.points.filter(isDrawable(chart.scaleY));
    const path = points.map((point) => `${Number((x(point.x) * 1000).toFixed(1))},${y(point.y)}`).join(' ');
    return html`<polyline class="line ${series.color}" points="${path}" vector-effect="non-scaling-stroke"/>`;
  });
  const marks = layers.map((series) => {
    const points = series.points.filter(isDrawable(chart.scaleY));
    const kind = points.length > VISIBLE_MARKS ? 'mark quiet' : 'mark';
    return points.map(
      (point) =>
        html`<circle class="${kind} ${series.color}" cx="${at(x(point.x))}" cy="${y(point.y)}" r="3"><title>${point.title}</title></circle>`,
    );
  });
  const levels = isLog ? logTicks(low / 1.2, high * 1.2) : ticks(low, high, 4);
  return html`<div class="with-axis"><svg class="axis" width="${AXIS_WIDTH}" height="${chart.height}" aria-hidden="true">${levels.map(
    (level) =>
      html`<text class="tick end" x="${AXIS_WIDTH - 8}" y="${y(level) + 4}">${chart.formatY(level)}</text>`,
  )}</svg>
<svg class="chart" width="100%" height="${chart.height}" role="img" aria-label="${chart.title}">
${levels.map((level) => html`<line class="grid" x1="0" x2="100%" y1="${y(level)}" y2="${y(level)}"/>`)}
${ticks(firstX, lastX, 5).map((tick) => {
  const place = x(tick);
  return html`<text class="tick ${place < 0.04 ? 'start' : place > 0.94 ? 'end' : 'middle'}" x="${at(place)}" y="${chart.height - 6}">${chart.formatX(tick)}</text>`;
})}
${
  chart.reference &&
  html`<line class="reference ${chart.reference.color}" x1="0" x2="100%" y1="${y(chart.reference.y)}" y2="${y(chart.reference.y)}"/>`
}
${chart.beginnings?.map(({ x: begin, label }) => {
  const place = x(begin);
  return html`<line class="beginning" x1="${at(place)}" x2="${at(place)}" y1="0" y2="${plotHeight}"/><text class="tick ${place > 0.8 ? 'end' : 'start'}" x="${at(place)}" dx="${place > 0.8 ? -5 : 5}" y="11">${label}</text>`;
})}
<svg x="0" y="0" width="100%" height="${plotHeight}" viewBox="0 0 1000 ${plotHeight}" preserveAspectRatio="none">${lines}</svg>
${marks}
${chart.reference && referenceLabel(chart.reference, y(chart.reference.y), chart.series)}
</svg></div>`;
}

/** The label stands at the right end, on the side of its line where no series ends. */
function referenceLabel(
  reference: NonNullable<LineChart['reference']>,
  place: number,
  series: LineChart['series'],
): Markup {
  const last = series.reduce<{ x: number; y: number } | undefined>((latest, { points }) => {
    const point = points.at(-1);
    return point && (!latest || point.x > latest.x) ? point : latest;
  }, undefined);
  const below = last !== undefined && last.y >= reference.y;
  return html`<text class="reference-label end ${reference.color}" x="100%" y="${place + (below ? 17 : -7)}">${reference.label}</text>`;
}

function isDrawable(scale: LineChart['scaleY']): (point: { y: number }) => boolean {
  return (point) => Number.isFinite(point.y) && (scale !== 'log' || point.y > 0);
}
