import type { MapCell } from '../../sample-dynamics.ts';
import { decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { at, linearScale, ticks } from '../scale.ts';

const HEIGHT = 420;
const BOTTOM = 24;
const TOP = 10;
/** The numbers of the axis stand left of it, in pixels. */
const LEFT = 40;
const LARGEST_RADIUS = 11;

/**
 * The map of a training: samples by how much the probability of their class varied (to the right) and how high it was on
 * average (upwards), coloured by how often the student was right (or by that average, where answers are not right or wrong). A disc stands for the samples of a cell; its area grows
 * with their number.
 *
 * Swayamdipta et al., "Dataset Cartography" (2020), figure 1.
 */
export function cartography(cells: readonly MapCell[]): Markup {
  if (cells.length === 0) return html`<p class="empty">No sample was followed.</p>`;
  const widest = Math.max(0.05, ...cells.map(({ variability }) => variability)) * 1.05;
  const scaleX = linearScale(0, widest);
  const x = (variability: number) => 0.98 * scaleX(variability);
  const y = (confidence: number) =>
    Number((HEIGHT - BOTTOM - confidence * (HEIGHT - BOTTOM - TOP)).toFixed(1));
  const most = Math.max(...cells.map(({ count }) => count));
  const radius = (count: number) =>
    Number((1.5 + (LARGEST_RADIUS - 1.5) * Math.sqrt(count / most)).toFixed(1));
  // Large discs first: small ones lie above them.
  const drawn = cells.toSorted((a, b) => b.count - a.count);
  const levels = [0, 0.25, 0.5, 0.75, 1];
  return html`<div class="with-axis"><svg class="axis" width="${LEFT}" height="${HEIGHT}" aria-hidden="true">${levels.map(
    (level) => html`<text class="tick" x="0" y="${y(level) + 4}">${decimal(level, 2)}</text>`,
  )}</svg>
<svg class="chart" width="100%" height="${HEIGHT}" role="img" aria-label="Training samples by variability and confidence, coloured by correctness">
${levels.map((level) => html`<line class="grid" x1="0" x2="100%" y1="${y(level)}" y2="${y(level)}"/>`)}
${ticks(0, widest, 5).map(
  (tick) =>
    html`<text class="tick ${tick === 0 ? 'start' : 'middle'}" x="${at(x(tick))}" y="${HEIGHT - 6}">${decimal(tick, 2)}</text>`,
)}
${drawn.map(
  ({ variability, confidence, correctness, count }) =>
    html`<circle class="place c${levelOf(correctness ?? confidence)}" cx="${at(x(variability))}" cy="${y(confidence)}" r="${radius(count)}"><title>${decimal(count)}${correctness === undefined ? '' : `, right ${percent(correctness, 0)}`}</title></circle>`,
)}
</svg></div>`;
}

/** One of five colours. */
function levelOf(part: number): number {
  return Math.min(4, Math.floor(part * 5));
}
