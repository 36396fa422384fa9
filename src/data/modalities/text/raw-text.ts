import { BrokenValue } from '../../broken-value.ts';
import { NOT_UTF8, textOfBytes } from '../../labels/label-value.ts';

/**
 * A text as a column of a row holds it.
 *
 * @throws BrokenValue for what is no text, and for one that is empty or cannot be stored
 */
export function rawText(value: unknown, field: string): string {
  const text = textOfBytes(value);
  if (text === NOT_UTF8) throw new BrokenValue('encoding', `'${field}' has bytes that are not UTF-8`);
  if (typeof text !== 'string') throw new BrokenValue('text', `'${field}' is ${kindOf(text)}, not text`);
  if (text.trim() === '') throw new BrokenValue('text', `'${field}' is empty`);
  if (/\p{Surrogate}/u.test(text)) {
    const problem = 'the text has half of a surrogate pair, which no encoding can store';
    throw new BrokenValue('encoding', problem);
  }
  return text;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}
