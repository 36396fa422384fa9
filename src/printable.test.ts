import pico from 'picocolors';
import { expect, test } from 'vitest';
import { LimbeckError } from './errors.ts';
import { printable, printableStyled } from './printable.ts';

const TITLE = '\u001B]0;pwned\u0007';

test('what a terminal would obey is written out', () => {
  expect(printable(`${TITLE}a\u009B2Jb\rc\u007F\u202Ed`)).toBe(
    '\\u001b]0;pwned\\u0007a\\u009b2Jb\\u000dc\\u007f\\u202ed',
  );
  expect(printable('Zeile 1\n\tнадпись 日本 é 🙂')).toBe('Zeile 1\n\tнадпись 日本 é 🙂');
});

test('JSON stays the same JSON', () => {
  const value = { name: `${TITLE}\u009B\u202E` };
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});

test('our own colours and cursor moves pass, others do not', () => {
  const colors = pico.createColors(true);
  const own = `\u001B[?25l\r\u001B[3A${colors.red(colors.bold('x'))}${colors.gray('y')}\u001B[K\n\u001B[J\u001B[?25h`;
  expect(printableStyled(own)).toBe(own);
  expect(printableStyled(`${TITLE}\u001B[2J\u001B[H\u001B[31mx`)).toBe(
    '\\u001b]0;pwned\\u0007\\u001b[2J\\u001b[H\u001B[31mx',
  );
});

test('an error shows what a file says, and does nothing that it says', () => {
  const error = new LimbeckError('model.attribute', `operator ${TITLE}`, { where: TITLE, remedy: TITLE });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
  expect(error.toString()).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/);
  expect(error.message).toBe('operator \\u001b]0;pwned\\u0007');
});
