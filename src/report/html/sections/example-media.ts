import type { ShownExample } from '../../shown-example.ts';
import { html, type Markup } from '../markup.ts';

/** An image, or the drawing of audio with a player below it. */
export function exampleMedia({ text, picture, sound }: ShownExample): Markup | null {
  if (!picture && !sound) return null;
  const className = sound || picture?.startsWith('data:image/svg') ? 'waveform' : 'example';
  return html`${picture && html`<img class="${className}" src="${picture}" alt="${text}">`}${sound && html`<audio controls preload="metadata" src="${sound}" aria-label="${text}"></audio>`}`;
}
