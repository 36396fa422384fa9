import { createHash } from 'node:crypto';
import { html, type Markup, trusted } from './markup.ts';
import { SCRIPT } from './script.ts';

/**
 * A page that needs nothing but itself (no network, fonts or files): the content security policy admits its own style and
 * the one script by hash and nothing else.
 */
export function renderDocument(page: {
  readonly title: string;
  readonly style: string;
  readonly body: readonly (Markup | null)[];
  readonly footer: Markup;
}): string {
  const policy = [
    "default-src 'none'",
    `style-src '${sha256(page.style)}'`,
    `script-src '${sha256(SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
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
<main>
${page.body}
</main>
<footer>${page.footer}</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
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
  return `sha256-${createHash('sha256').update(source).digest('base64')}`;
}
