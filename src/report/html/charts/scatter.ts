import { bytes, compact, percent, thousands } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import type { ShownModel } from '../models.ts';
import { at, linearScale, logScale, logTicks, ticks } from '../scale.ts';

const HEIGHT = 280;
const BOTTOM = 26;
const TOP = 44;
/** Labels nearer than this, in pixels, would touch. */
const LABEL_HEIGHT = 44;

/** Accuracy against throughput (logarithmic); a disc's area is the size of the file. */
export function tradeOff(models: readonly ShownModel[]): Markup {
  const shown = models.filter((model) => model.result.throughput > 0);
  if (shown.length === 0) return html`<p class="empty">No model was timed.</p>`;
  const speeds = shown.map((model) => model.result.throughput);
  const slowest = Math.min(...speeds) / 2.5;
  const fastest = Math.max(...speeds) * 2.5;
  const x = logScale(slowest, fastest);
  const accuracies = shown.map((model) => model.result.accuracy);
  const spread = Math.max(0.05, Math.max(...accuracies) - Math.min(...accuracies));
  const low = Math.max(0, Math.min(...accuracies) - spread * 0.6);
  const high = Math.max(...accuracies) + spread * 0.15;
  const scaleY = linearScale(low, high);
  const y = (value: number) => Number((HEIGHT - BOTTOM - scaleY(value) * (HEIGHT - BOTTOM - TOP)).toFixed(1));
  const largest = Math.max(...shown.map((model) => model.result.bytes));
  const radius = (size: number) => Number((4 + 22 * Math.sqrt(size / largest)).toFixed(1));
  const title = 'Accuracy against throughput of the models';
  return html`<svg class="chart" width="100%" height="${HEIGHT}" role="img" aria-label="${title}">
${ticks(low, high, 4).map(
  (tick) => html`<line class="grid" x1="0" x2="100%" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="0" y="${y(tick) - 4}">${percent(tick, 0)}</text>`,
)}
${logTicks(slowest, fastest).map(
  (tick) =>
    html`<text class="tick ${x(tick) < 0.08 ? 'start' : x(tick) > 0.92 ? 'end' : 'middle'}" x="${at(x(tick))}" y="${HEIGHT - 6}">${thousands(tick)}</text>`,
)}
${shown.map((model) => {
  const { accuracy, throughput, bytes: size } = model.result;
  const place = x(throughput);
  const r = radius(size);
  const isBelow = labelIsBelow(model, shown, y);
  const labelY = y(accuracy) + (isBelow ? r + 17 : -r - 22);
  const anchor = place < 0.15 ? 'start' : place > 0.85 ? 'end' : 'middle';
  return html`<g><title>${model.title}: ${percent(accuracy)} at ${compact(throughput)} texts/s, ${bytes(size)}</title>
<circle class="disc ${model.key}" cx="${at(place)}" cy="${y(accuracy)}" r="${r}"/>
<text class="point-name ${model.key} ${anchor}" x="${at(place)}" y="${labelY}">${model.title}</text>
<text class="tick ${anchor}" x="${at(place)}" y="${labelY + 14}">${bytes(size)}</text></g>`;
})}
</svg>`;
}

/** Names stand above the disc, but below it when a name above would touch that of a better model near by. */
function labelIsBelow(
  model: ShownModel,
  models: readonly ShownModel[],
  y: (accuracy: number) => number,
): boolean {
  if (model.key === 'baseline') return true;
  return models.some(
    (other) =>
      other !== model &&
      other.key !== 'baseline' &&
      models.indexOf(other) < models.indexOf(model) &&
      Math.abs(Math.log10(other.result.throughput / model.result.throughput)) < 0.6 &&
      Math.abs(y(other.result.accuracy) - y(model.result.accuracy)) < LABEL_HEIGHT,
  );
}
