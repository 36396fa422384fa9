import type { MetricInfo } from '../../../metrics/metric.ts';
import { shownValue } from '../../main-metric.ts';
import { metricValue } from '../../result.ts';
import { bytes, capital, compact, lettersOf, percentMark, thousands } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import type { ShownModel } from '../models.ts';
import { at, linearScale, logScale, logTicks, stepOf, ticks } from '../scale.ts';

const HEIGHT = 300;
const BOTTOM = 26;
const TOP = 30;
/** The chart's width on the narrowest and on the widest screen: names must touch nothing on either. */
const WIDTHS = [340, 1072] as const;
const LETTER = 7.8;
const LINE = 16;

interface Disc {
  readonly model: ShownModel;
  /** 0 to 1, from the left. */
  readonly place: number;
  readonly y: number;
  readonly r: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * A metric against throughput (logarithmic); a disc's area is the size of the file. Names stand beside their discs where they
 * touch nothing; all of them are in the list below.
 */
export function tradeOff(models: readonly ShownModel[], unit: string, metric: MetricInfo): Markup {
  const valueOfModel = ({ result }: ShownModel) => metricValue(result, metric);
  const shown = models.filter((model) => model.result.throughput > 0 && Number.isFinite(valueOfModel(model)));
  if (shown.length === 0) return html`<p class="empty">No model was timed.</p>`;
  const speeds = shown.map((model) => model.result.throughput);
  const slowest = Math.min(...speeds) / 2.5;
  const fastest = Math.max(...speeds) * 2.5;
  const x = logScale(slowest, fastest);
  const values = shown.map(valueOfModel);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spread = Math.max(metric.format === 'percent' ? 0.02 : 0.02 * Math.abs(most), most - least, 1e-9);
  const floor = least >= 0 ? 0 : Number.NEGATIVE_INFINITY;
  const low = Math.max(floor, least - spread * 0.4);
  const high = Math.min(metric.format === 'percent' ? 1 : Number.POSITIVE_INFINITY, most + spread * 0.15);
  const scaleY = linearScale(low, high);
  const y = (value: number) => Number((HEIGHT - BOTTOM - scaleY(value) * (HEIGHT - BOTTOM - TOP)).toFixed(1));
  const largest = Math.max(...shown.map((model) => model.result.bytes));
  const radius = (size: number) => Number((4 + 18 * Math.sqrt(size / Math.max(1, largest))).toFixed(1));
  const discs: Disc[] = shown.map((model) => ({
    model,
    place: x(model.result.throughput),
    y: y(valueOfModel(model)),
    r: radius(model.result.bytes),
  }));
  const levels = ticks(low, high, 4);
  const step = stepOf(levels);
  const marks = spaced(logTicks(slowest, fastest), x);
  const title = `${capital(metric.title)} against throughput of the models`;
  const mark = (value: number) => (metric.format === 'percent' ? percentMark(value, step) : compact(value));
  return html`<div class="with-axis"><svg class="axis" width="48" height="${HEIGHT}" aria-hidden="true">${levels.map(
    (level) => html`<text class="tick end" x="40" y="${y(level) + 4}">${mark(level)}</text>`,
  )}</svg>
<svg class="chart" width="100%" height="${HEIGHT}" role="img" aria-label="${title}">
${levels.map((level) => html`<line class="grid" x1="0" x2="100%" y1="${y(level)}" y2="${y(level)}"/>`)}
${marks.map(
  (tick) =>
    html`<text class="tick ${x(tick) < 0.08 ? 'start' : x(tick) > 0.92 ? 'end' : 'middle'}" x="${at(x(tick))}" y="${HEIGHT - 6}">${thousands(tick)}</text>`,
)}
${discs.map(
  ({ model, place, y: cy, r }) =>
    html`<circle class="disc ${model.key}" cx="${at(place)}" cy="${cy}" r="${r}"><title>${sentence(model, unit, metric)}</title></circle>`,
)}
${namedDiscs(discs).map(
  ({ disc, anchor, dx, textY }) =>
    html`<text class="point-name ${disc.model.key} ${anchor}" x="${at(disc.place)}" dx="${dx}" y="${textY}">${disc.model.title}</text>`,
)}
</svg></div>
<ul class="legend">${shown.map(
    (model) =>
      html`<li><span class="key ${model.key}"></span>${model.title} <span class="muted">${shownValue(metric, valueOfModel(model))}, ${thousands(model.result.throughput)} ${unit}/s, ${bytes(model.result.bytes)}</span></li>`,
  )}</ul>`;
}

function sentence({ title, result }: ShownModel, unit: string, metric: MetricInfo): string {
  return `${title}: ${shownValue(metric, metricValue(result, metric))} at ${compact(result.throughput)} ${unit}/s, ${bytes(result.bytes)}`;
}

/** Marks whose numbers do not touch on the narrowest screen: every second of them is left out until they fit. */
function spaced(marks: readonly number[], x: (value: number) => number): readonly number[] {
  const least = 44 / WIDTHS[0];
  const touching = marks.some((mark, index) => index > 0 && x(mark) - x(marks[index - 1] as number) < least);
  return touching
    ? spaced(
        marks.filter((_, index) => index % 2 === 0),
        x,
      )
    : marks;
}

interface NamedDisc {
  readonly disc: Disc;
  readonly anchor: 'start' | 'middle' | 'end';
  /** Pixels right of the disc's middle. */
  readonly dx: number;
  readonly textY: number;
}

/** Above, below, right or left of the disc: the first that touches no other disc or name. */
function namedDiscs(discs: readonly Disc[]): NamedDisc[] {
  const taken: (readonly [Box, Box])[] = discs.map(
    ({ place, y, r }) =>
      WIDTHS.map((width) => ({
        left: place * width - r,
        right: place * width + r,
        top: y - r,
        bottom: y + r,
      })) as unknown as readonly [Box, Box],
  );
  const named: NamedDisc[] = [];
  discs.forEach((disc, own) => {
    const { y, r, model, place } = disc;
    const candidates: Omit<NamedDisc, 'disc'>[] = [
      { anchor: 'middle', dx: 0, textY: y - r - 7 },
      { anchor: 'middle', dx: 0, textY: y + r + 16 },
      { anchor: 'start', dx: r + 6, textY: y + 4 },
      { anchor: 'end', dx: -r - 6, textY: y + 4 },
    ];
    for (const candidate of candidates) {
      const boxes = WIDTHS.map((width) => boxOf(candidate, model.title, place * width)) as unknown as [
        Box,
        Box,
      ];
      const isInside = boxes.every(
        (box, at) =>
          box.left >= 0 && box.right <= WIDTHS[at]! && box.top >= 0 && box.bottom <= HEIGHT - BOTTOM,
      );
      const isFree = taken.every(
        (others, index) => index === own || !others.some((other, at) => touches(other, boxes[at]!)),
      );
      if (!isInside || !isFree) continue;
      taken.push(boxes);
      named.push({ disc, ...candidate });
      return;
    }
  });
  return named;
}

function boxOf({ anchor, dx, textY }: Omit<NamedDisc, 'disc'>, title: string, middle: number): Box {
  const width = lettersOf(title) * LETTER;
  const from = middle + dx - (anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0);
  return { left: from, right: from + width, top: textY - LINE + 3, bottom: textY + 4 };
}

function touches(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
