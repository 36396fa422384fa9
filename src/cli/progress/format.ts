import { stripVTControlCharacters } from 'node:util';

/** `4.2 s`, `32 s`, `2 min 05 s`, `1 h 05 min` */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** Time that is left, without false precision: `3 s`, `2 min 05 s` */
export function formatTimeLeft(seconds: number): string {
  return seconds < 9.95 ? `${Math.ceil(seconds)} s` : formatDuration(seconds);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

// Made once: making one takes longer than drawing a bar.
const SMALL = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const LARGE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `79,689` */
export function formatCount(value: number): string {
  return (value < 10 ? SMALL : LARGE).format(value);
}

/** `2,130 texts/s`; below one a second, the time for one: `1.4 s a step` */
export function formatRate(perSecond: number, unit: string): string {
  if (perSecond >= 1 || perSecond <= 0) return `${formatCount(perSecond)} ${unit}/s`;
  return `${formatDuration(1 / perSecond)} a ${unit.replace(/s$/, '')}`;
}

/** `1.2 MB`, in powers of 1000 as disks are sold and most systems count files. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// Letters that take two columns in a terminal: CJK, Hangul, full-width forms, and emoji.
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

function columnsOf(char: string): number {
  if (ZERO_WIDTH.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** Terminal columns that a text without colours takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += columnsOf(char);
  return width;
}

/** The text, cut with an ellipsis so that it takes at most so many columns. */
export function fitText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let width = 0;
  let fitted = '';
  for (const char of text) {
    width += columnsOf(char);
    if (width > columns - 1) break;
    fitted += char;
  }
  return columns > 0 ? `${fitted}…` : '';
}

/**
 * One line without control characters, escape sequences, or characters that turn the direction of what follows: texts from
 * data and models must not steer the terminal.
 */
export function plainLine(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
      .replace(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ')
  );
}
