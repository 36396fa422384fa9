import { lettersOf, shorten } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { at, linearScale, logScale, logTicks, stepOf, ticks } from '../scale.ts';

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
  /** `step` is how far apart the marks of the axis are. */
  formatY: (value: number, step: number) => string;
  /** Pixels. */
  height: number;
  /** A dashed level to compare with. */
  reference?: { y: number; label: string; color: string } | undefined;
  scaleY?: 'linear' | 'log';
  /**
   * Whether the vertical axis starts at 0: always, or (`unless-flat`) where that leaves what is to be seen enough of the
   * height. An axis that does not start at 0 then says so.
   */
  fromZero?: boolean | 'unless-flat';
  /** Vertical lines: what began there. */
  beginnings?: readonly { x: number; label: string }[];
}

const AXIS_WIDTH = 48;
const BOTTOM = 24;
const TOP = 14;
/** Height of a row of names at the top. */
const NAME_ROW = 15;
/** Width of a chart on the narrowest screen, and of a letter: names that would touch there get rows of their own. */
const NARROWEST = 300;
const LETTER = 7;
const NAME_LETTERS = 18;
/** An axis is cut where what is to be seen would take less of its height. */
const FLAT = 0.15;
/** Above this number of points a line shows them on hovering only. */
const VISIBLE_MARKS = 60;

/** Lines over a common axis, as wide as the page gives; or a sentence when there is nothing to draw. */
export function lineChart(chart: LineChart): Markup {
  const all = chart.series.flatMap((series) => series.points).filter(isDrawable(chart.scaleY));
  if (all.length === 0) return html`<p class="empty">Nothing was recorded for this chart.</p>`;
  const values = all.map((point) => point.y).concat(chart.reference ? [chart.reference.y] : []);
  const lastX = Math.max(...all.map((point) => point.x));
  const firstX = Math.min(0, ...all.map((point) => point.x));
  const x = linearScale(firstX, lastX);
  const low = lowestShown(chart, all, values, (point) => x(point.x));
  const isCut = chart.fromZero === 'unless-flat' && low > 0;
  const high = Math.max(...values);
  const plotHeight = chart.height - BOTTOM;
  const isLog = chart.scaleY === 'log';
  const scaleY = isLog ? logScale(low / 1.2, high * 1.2) : linearScale(low, high + (high - low) * 0.04);
  const names = namedBeginnings(chart.beginnings ?? [], x);
  const top = TOP + NAME_ROW * Math.max(0, ...names.map(({ row }) => row));
  const y = (value: number) => Number((plotHeight - scaleY(value) * (plotHeight - top)).toFixed(1));
  // Below a cut axis a line leaves the frame; its marks would stand in the numbers.
  const isShown = (point: { y: number }) => isDrawable(chart.scaleY)(point) && point.y >= low;

  // The first series is drawn last: what a chart is about lies above what it is compared with.
  const layers = chart.series.toReversed();
  const lines = layers.map((series) => {
    const points = series.points.filter(isDrawable(chart.scaleY));
    const path = points.map((point) => `${Number((x(point.x) * 1000).toFixed(1))},${y(point.y)}`).join(' ');
    return html`<polyline class="line ${series.color}" points="${path}" vector-effect="non-scaling-stroke"/>`;
  });
  const marks = layers.map((series) => {
    const points = series.points.filter(isShown);
    const kind = points.length > VISIBLE_MARKS ? 'mark quiet' : 'mark';
    return points.map(
      (point) =>
        html`<circle class="${kind} ${series.color}" cx="${at(x(point.x))}" cy="${y(point.y)}" r="3"><title>${point.title}</title></circle>`,
    );
  });
  const levels = isLog ? logTicks(low / 1.2, high * 1.2) : ticks(low, high, 4);
  const step = isLog ? 0 : stepOf(levels);
  return html`<div class="with-axis"><svg class="axis" width="${AXIS_WIDTH}" height="${chart.height}" aria-hidden="true">${levels.map(
    (level) =>
      html`<text class="tick end" x="${AXIS_WIDTH - 8}" y="${y(level) + 4}">${chart.formatY(level, step)}</text>`,
  )}${isCut && html`<path class="cut" d="M${AXIS_WIDTH - 12} ${plotHeight - 4}l4 -3 l-4 -3 l4 -3"/>`}</svg>
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
${names.map(
  ({ place, row, isLeft, label, whole }) =>
    html`<line class="beginning" x1="${at(place)}" x2="${at(place)}" y1="0" y2="${plotHeight}"/><text class="tick ${isLeft ? 'end' : 'start'}" x="${at(place)}" dx="${isLeft ? -5 : 5}" y="${11 + row * NAME_ROW}">${label}${label !== whole && html`<title>${whole}</title>`}</text>`,
)}
<svg x="0" y="0" width="100%" height="${plotHeight}" viewBox="0 0 1000 ${plotHeight}" preserveAspectRatio="none">${lines}</svg>
${marks}
${chart.reference && referenceLabel(chart.reference, y(chart.reference.y), { top: names.length > 0 ? top : 0, bottom: plotHeight, series: chart.series })}
</svg></div>${isCut && html`<p class="about cut">The axis is cut: it begins at ${chart.formatY(low, step / 10)}, not at 0.</p>`}`;
}

/**
 * Where the vertical axis begins. What is to be seen is what the lines do once they have risen (after a quarter of the way),
 * and the level that they are compared with.
 */
function lowestShown(
  { fromZero = false, reference }: LineChart,
  points: readonly { x: number; y: number }[],
  values: readonly number[],
  placeOf: (point: { x: number }) => number,
): number {
  if (fromZero === false) return Math.min(...values);
  if (fromZero === true) return Math.min(0, ...values);
  const risen = points.filter((point) => placeOf(point) >= 0.25).map(({ y }) => y);
  const seen = reference ? [...risen, reference.y] : risen;
  const [least, most] = [Math.min(...seen), Math.max(...values)];
  const spread = Math.max(most - least, most * 0.005);
  if (seen.length === 0 || spread >= FLAT * most) return Math.min(0, ...values);
  return Math.max(0, least - spread * 0.4);
}

interface NamedBeginning {
  readonly place: number;
  readonly row: number;
  readonly isLeft: boolean;
  readonly label: string;
  readonly whole: string;
}

/** Names at the top, each in the first row where it touches no other, on the narrowest screen too. */
function namedBeginnings(
  beginnings: NonNullable<LineChart['beginnings']>,
  x: (value: number) => number,
): NamedBeginning[] {
  const ends: [number, number][][] = [];
  return beginnings.map(({ x: begin, label: whole }) => {
    const place = x(begin);
    const label = shorten(whole, NAME_LETTERS);
    const width = (lettersOf(label) * LETTER + 12) / NARROWEST;
    const isLeft = place + width > 1;
    const [from, to] = isLeft ? [place - width, place] : [place, place + width];
    let row = 0;
    while (ends[row]?.some(([start, end]) => from < end && to > start)) row++;
    ends[row] = [...(ends[row] ?? []), [from, to]];
    return { place, row, isLeft, label, whole };
  });
}

/** The label stands at the right end, on the side of its line where no series ends, inside the frame. */
function referenceLabel(
  reference: NonNullable<LineChart['reference']>,
  place: number,
  { top, bottom, series }: { top: number; bottom: number; series: LineChart['series'] },
): Markup {
  const last = series.reduce<{ x: number; y: number } | undefined>((latest, { points }) => {
    const point = points.at(-1);
    return point && (!latest || point.x > latest.x) ? point : latest;
  }, undefined);
  const isFree = last === undefined || last.y < reference.y;
  const fitsAbove = place - 20 >= top;
  const fitsBelow = place + 20 <= bottom;
  const above = fitsAbove && (isFree || !fitsBelow);
  return html`<text class="reference-label end ${reference.color}" x="100%" y="${place + (above ? -7 : 17)}">${reference.label}</text>`;
}

function isDrawable(scale: LineChart['scaleY']): (point: { y: number }) => boolean {
  return (point) => Number.isFinite(point.y) && (scale !== 'log' || point.y > 0);
}
