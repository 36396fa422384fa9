import { html, type Markup } from '../markup.ts';
import { at } from '../scale.ts';

/** A thin bar as long as `fraction` of its place; at least a sliver, so that little is not nothing. */
export function bar(fraction: number, color: string): Markup {
  const width = fraction > 0 ? Math.min(1, Math.max(fraction, 0.008)) : 0;
  return html`<svg class="bar" width="100%" height="6" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/><rect class="fill ${color}" width="${at(width)}" height="6" rx="3"/></svg>`;
}
