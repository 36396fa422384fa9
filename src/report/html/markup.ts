/** A piece of HTML or SVG that is safe to put into a page. Only this file makes one. */
export interface Markup {
  readonly markup: string;
}

class SafeMarkup implements Markup {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What may stand in a template: markup goes in as it is, everything else as escaped text. */
export type Insert = Markup | string | number | null | undefined | false | readonly Insert[];

/**
 * Builds markup; every inserted string is escaped for text and for quoted attributes alike. Recipe, labels and
 * texts come from anywhere, so there is no other way to put a string into a page.
 *
 * @example
 * html`<b title="${label}">${label}</b>`
 */
export function html(parts: TemplateStringsArray, ...inserts: Insert[]): Markup {
  return new SafeMarkup(parts.reduce((text, part, index) => text + written(inserts[index - 1]) + part));
}

/** Our own style sheet and script, which must not be escaped. Never for anything that comes from outside. */
export function trusted(source: string): Markup {
  return new SafeMarkup(source);
}

function written(insert: Insert): string {
  if (insert === null || insert === undefined || insert === false) return '';
  if (insert instanceof SafeMarkup) return insert.markup;
  if (Array.isArray(insert)) return insert.map(written).join('');
  return escapeText(String(insert));
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escapeText(text: string): string {
  // Control characters other than tab and newline have no place in HTML; lone surrogates none in UTF-8.
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Cs}/gu, '\ufffd')
      .replace(/[&<>"'`]/g, (character) => ENTITIES[character] as string)
  );
}
