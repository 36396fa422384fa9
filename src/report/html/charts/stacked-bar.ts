import { lettersOf } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { at } from '../scale.ts';

export interface BarPart {
  name: string;
  value: number;
  /** The value as it is written, e.g. `52.7 s`. */
  shown: string;
  color: string;
}

/** Width of the page's narrowest form, and of a letter: a name that would be cut there is left to the legend. */
const NARROWEST = 340;
const LETTER = 7.5;

/** Parts of a whole side by side; names stand inside where they fit, all of them in the titles and the legend. */
export function stackedBar(
  title: string,
  parts: readonly BarPart[],
  options: { legend: boolean } = { legend: true },
): Markup {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  if (total <= 0) return html`<p class="empty">Nothing was recorded for this chart.</p>`;
  const shown = parts.filter((part) => part.value > 0);
  let start = 0;
  return html`<svg class="stacked" width="100%" height="40" role="img" aria-label="${title}">
${shown.map((part, index) => {
  const from = start;
  const share = part.value / total;
  start += share;
  return html`<svg x="${at(from)}" width="${at(share)}" height="40"><title>${part.name}: ${part.shown}</title><rect class="fill ${part.color}" width="100%" height="40"/>${
    index < shown.length - 1 && html`<line class="gap" x1="100%" x2="100%" y1="0" y2="40"/>`
  }${share * NARROWEST > lettersOf(part.name) * LETTER + 20 && html`<text class="inside" x="10" y="25">${part.name}</text>`}</svg>`;
})}
</svg>
${
  options.legend &&
  html`<ul class="legend">${parts.map(
    (part) =>
      html`<li><span class="key ${part.color}"></span>${part.name} <span class="muted">${part.shown}</span></li>`,
  )}</ul>`
}`;
}
