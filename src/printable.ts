/**
 * Characters that a terminal obeys instead of showing (C0 and C1 controls; line feed and tab are kept), and those that
 * reorder what is shown (bidirectional controls, U+2028, U+2029).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** What our own output is made of: colours (picocolors) and the moves of live progress. */
const OWN = [
  '\\u001B\\[(?:[0-479]|2[2-9]|3[0-79]|4[0-79]|9[0-7]|10[0-7])m',
  '\\u001B\\[\\d{0,3}A',
  '\\u001B\\[[JK]',
  '\\u001B\\[\\?25[hl]',
  '\\r',
].join('|');
const OWN_OR_CONTROL = new RegExp(`${OWN}|${CONTROL.source}`, 'g');

/**
 * A text from elsewhere (a name in a model's file, a row of data) as a terminal may show it: control characters become
 * `\u001b`, in the notation of JSON, so that JSON that holds them stays the same JSON.
 *
 * @example
 * printable('a\u001B[2Jb'); // 'a\\u001b[2Jb'
 */
export function printable(text: string): string {
  return text.replace(CONTROL, escaped);
}

/** The same for a text that our own colours and cursor moves are part of: they stay. */
export function printableStyled(text: string): string {
  return text.replace(OWN_OR_CONTROL, (found) => (OWN_WHOLE.test(found) ? found : escaped(found)));
}

const OWN_WHOLE = new RegExp(`^(?:${OWN})$`);

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
