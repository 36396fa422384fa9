import { expect, it } from 'vitest';
import { html } from './markup.ts';

it('escapes what is inserted, for text and attributes', () => {
  expect(html`<b title="${`"'<>&\``}">${'<i>'}</b>`.markup).toBe(
    '<b title="&quot;&#39;&lt;&gt;&amp;&#96;">&lt;i&gt;</b>',
  );
});

it('inserts markup as it is, lists joined, and nothing for nothing', () => {
  expect(html`${html`<i>${1}</i>`}${[html`a`, 'b<', [2]]}${null}${undefined}${false}${0}`.markup).toBe(
    '<i>1</i>ab&lt;20',
  );
});

it('does not take an object that looks like markup', () => {
  const forged = JSON.parse('{"markup":"<script>"}');
  expect(html`${forged}`.markup).toBe('[object Object]');
});

it('replaces characters that no page may hold', () => {
  expect(html`${'a\u0000b\u001b\ud800c\td\n😀'}`.markup).toBe('a\ufffdb\ufffd\ufffdc\td\n😀');
});
