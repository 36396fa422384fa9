import { createSha256 } from '../../platform/hash.ts';
import { html, type Markup, trusted } from './markup.ts';
import { SCRIPT } from './script.ts';

/**
 * A page that needs nothing but itself (no network, fonts or files): the content security policy admits its own style and
 * the one script by hash, images and sounds inside the page, and nothing else. The contents are the headings of its sections, and
 * stand after the first part of the body.
 */
export function renderDocument(page: {
  readonly title: string;
  readonly style: string;
  readonly body: readonly (Markup | null)[];
  readonly footer: Markup;
}): string {
  const policy = [
    "default-src 'none'",
    // Images and sounds of samples stand in the page itself; what a data: URI holds can ask for nothing.
    'img-src data:',
    'media-src data:',
    `style-src '${sha256(page.style)}'`,
    `script-src '${sha256(SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const [first, ...rest] = page.body;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${page.title}</title>
<style>${trusted(page.style)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<main id="content" tabindex="-1">
${first}
${contents(rest)}
${rest}
</main>
<footer>${page.footer}</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
}

/** A list of the sections, from their headings, so that none is forgotten. Headings are ours: they are markup already. */
function contents(sections: readonly (Markup | null)[]): Markup | null {
  const headings = sections.flatMap((section) => [
    ...(section?.markup ?? '').matchAll(/<h2 id="([\w-]+)">([^<]*)<\/h2>/g),
  ]);
  if (headings.length < 2) return null;
  return html`<nav class="contents" id="contents" aria-label="Contents"><ol>${headings.map(
    ([, id = '', title = '']) => html`<li><a href="#${id}">${trusted(title)}</a></li>`,
  )}</ol></nav>`;
}

/** The line at the head of every page. */
export function brand(about: string): Markup {
  return html`<p class="brand"><svg class="logo" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M9 2h4v5.2a7 7 0 1 1-5.9.5L9 7z"/><path class="arm" d="M13 4.5h4.5L22 13"/></svg>Limbeck <span class="muted">${about}</span></p>`;
}

/** One of the numbers that people quote. */
export function figure(value: string, about: string): Markup {
  return html`<li><strong>${value}</strong><span>${about}</span></li>`;
}

/** `2 May 2026`, in UTC. */
export function dateOf(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(date);
}

/** The hash that lets an inline style or script pass a content security policy. */
function sha256(source: string): string {
  return `sha256-${createSha256().update(source).digest('base64')}`;
}
