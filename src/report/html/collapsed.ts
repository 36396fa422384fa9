import { html, type Markup } from './markup.ts';

/**
 * A list of which the first few are shown and the rest stands behind a line to open: a page stays short enough to be looked
 * through, and nothing is left out of it. `what` says what the rest is, e.g. `more texts`.
 */
export function collapsedList(
  items: readonly Markup[],
  options: { readonly shown: number; readonly what: string; readonly className: string },
): Markup {
  const { shown, what, className } = options;
  const list = (part: readonly Markup[]) => html`<ul class="${className}">${part}</ul>`;
  // One item behind a line saves nothing.
  if (items.length <= shown + 1) return list(items);
  return html`${list(items.slice(0, shown))}
<details class="more"><summary>${items.length - shown} ${what}</summary>${list(items.slice(shown))}</details>`;
}
