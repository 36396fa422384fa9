/** A no-break thin space between a number and its unit. */
const THIN = '\u202f';

const cache = new Map<number, Intl.NumberFormat>();

/** A number with at most `digits` decimals and grouped thousands. */
export function decimal(value: number, digits = 0): string {
  let format = cache.get(digits);
  if (!format) {
    format = new Intl.NumberFormat('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
    cache.set(digits, format);
  }
  return format.format(value);
}

/** Three significant digits at most, without needless zeros: 0.042, 1.23, 24, 3,550. */
export function compact(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const digits = Math.min(6, Math.max(0, 2 - magnitude));
  return new Intl.NumberFormat('en', { maximumFractionDigits: digits }).format(value);
}

/** `61.3 %` of a fraction. */
export function percent(fraction: number, digits = 1): string {
  return `${decimal(fraction * 100, digits)}${THIN}%`;
}

/** A fraction on an axis whose marks are `step` apart, in percent: `96 %`, `96.5 %`. */
export function percentMark(fraction: number, step: number): string {
  return percent(fraction, digitsOf(step));
}

/** The decimals, in percent, that tell marks apart which are `step` apart. */
export function digitsOf(step: number): number {
  return step <= 0 || step >= 0.00999 ? 0 : step >= 0.000999 ? 1 : 2;
}

/** `+3.1` of a difference of fractions, in percentage points, with a real minus sign. */
export function points(difference: number, digits = 1): string {
  const rounded = Number((difference * 100).toFixed(digits));
  const sign = rounded > 0 ? '+' : rounded < 0 ? '\u2212' : '';
  return `${sign}${decimal(Math.abs(rounded), digits)}`;
}

/** Bytes in decimal units, as file managers and the hub show them. */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${compact(Number(size.toPrecision(size >= 10 ? 3 : 2)))}${THIN}${units[unit]}`;
}

/** A count with k, M or G: `606 k`, `7.0 M`. */
export function quantity(value: number): string {
  const units = ['', 'k', 'M', 'G'];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return unit === 0 ? decimal(size) : `${decimal(size, size < 99.5 ? 1 : 0)}${THIN}${units[unit]}`;
}

export function milliseconds(value: number): string {
  return `${compact(value)}${THIN}ms`;
}

/** `0.4 s`, `42 s`, `3 min 05 s`, `1 h 02 min`. */
export function seconds(value: number): string {
  if (value < 9.95) return `${decimal(value, 1)}${THIN}s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole}${THIN}s`;
  const twoDigits = (part: number) => String(part).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${twoDigits(whole % 60)}${THIN}s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)}${THIN}h ${twoDigits(minutes % 60)}${THIN}min`;
}

/** `24 times`, `2.4 times`. */
export function times(ratio: number): string {
  return `${decimal(ratio, ratio < 9.95 ? 1 : 0)} times`;
}

/** Letters that take the place of two in most fonts: CJK, Hangul, full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Of how many ordinary letters a text takes the place. */
export function lettersOf(text: string): number {
  let letters = 0;
  for (const letter of text) letters += WIDE.test(letter) ? 2 : /[MW@]/.test(letter) ? 1.4 : 1;
  return letters;
}

/** Cuts a label that takes more place than so many letters; the whole one goes into its title. */
export function shorten(text: string, characters: number): string {
  if (lettersOf(text) <= characters) return text;
  let kept = '';
  let place = 1;
  for (const letter of text) {
    place += lettersOf(letter);
    if (place > characters) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** A throughput on an axis: `500`, `20 k`. */
export function thousands(value: number): string {
  return value >= 1000 ? `${compact(value / 1000)}${THIN}k` : compact(value);
}

/** `Texts` for `texts`; `mAP` stays what it is. */
export function capital(word: string): string {
  if (/^[a-z][A-Z]/.test(word)) return word;
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}
