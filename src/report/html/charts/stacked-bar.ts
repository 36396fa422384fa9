import { html, type Markup } from '../markup.ts';
import { at } from '../scale.ts';

export interface BarPart {
  name: string;
  value: number;
  /** The value as it is written, e.g. `52.7 s`. */
  shown: string;
  color: string;
}

/** Parts of a whole side by side; names stand inside where they fit, all of them in the titles. */
export function stackedBar(title: string, parts: readonly BarPart[]): Markup {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  if (total <= 0) return html`<p class="empty">Nothing was recorded for this chart.</p>`;
  let start = 0;
  return html`<svg class="stacked" width="100%" height="40" role="img" aria-label="${title}">
${parts
  .filter((part) => part.value > 0)
  .map((part) => {
    const from = start;
    const share = part.value / total;
    start += share;
    return html`<svg x="${at(from)}" width="${at(share)}" height="40"><title>${part.name}: ${part.shown}</title><rect class="fill ${part.color}" width="100%" height="40"/><line class="gap" x1="100%" x2="100%" y1="0" y2="40"/>${
      share > 0.12 && html`<text class="inside" x="10" y="25">${part.name}</text>`
    }</svg>`;
  })}
</svg>`;
}
