/**
 * A sentence without a mark at its end after which something was to come: what a library adds behind a colon is now and then
 * nothing.
 *
 * @example wholeSentence('the PNG image is damaged: ') // 'the PNG image is damaged'
 */
export function wholeSentence(text: string): string {
  return text.replace(/\s*[:;,]\s*$/, '');
}
