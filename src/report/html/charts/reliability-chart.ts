import type { ReliabilityBin } from '../../class-answers.ts';
import { decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

const SIZE = 420;
const LEFT = 36;
const BOTTOM = 24;

/** Accuracy against confidence: on the diagonal a model is as sure as it should be. */
export function reliabilityChart(
  series: readonly { title: string; color: string; bins: readonly ReliabilityBin[] }[],
): Markup {
  const plot = SIZE - BOTTOM - 8;
  const x = (value: number) => Number((LEFT + value * (SIZE - LEFT - 14)).toFixed(1));
  const y = (value: number) => Number((8 + (1 - value) * plot).toFixed(1));
  const title = 'Accuracy of the answers by the confidence with which they were given';
  return html`<svg class="square" viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="${title}">
${[0, 0.25, 0.5, 0.75, 1].map(
  (tick) => html`<line class="grid" x1="${x(0)}" x2="${x(1)}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick end" x="${LEFT - 6}" y="${y(tick) + 4}">${decimal(tick * 100)}</text>
<text class="tick middle" x="${x(tick)}" y="${SIZE - 6}">${decimal(tick * 100)}</text>`,
)}
<line class="ideal" x1="${x(0)}" x2="${x(1)}" y1="${y(0)}" y2="${y(1)}"/>
${series.map(
  ({ title: name, color, bins }) => html`<polyline class="line ${color}" points="${bins
    .map((bin) => `${x(bin.meanConfidence)},${y(bin.accuracy)}`)
    .join(' ')}"/>
${bins.map(
  (bin) =>
    html`<circle class="mark ${color}" cx="${x(bin.meanConfidence)}" cy="${y(bin.accuracy)}" r="3"><title>${name}, confidence ${percent(bin.low, 0)} to ${percent(bin.high, 0)}: ${percent(bin.accuracy)} right of ${bin.count}</title></circle>`,
)}`,
)}
</svg>`;
}
