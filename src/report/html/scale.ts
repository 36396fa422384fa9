/** Maps a domain of values onto 0..1. */
export type Scale = (value: number) => number;

export function linearScale(low: number, high: number): Scale {
  return (value) => (high > low ? (value - low) / (high - low) : 0.5);
}

export function logScale(low: number, high: number): Scale {
  const scale = linearScale(Math.log10(low), Math.log10(high));
  return (value) => scale(Math.log10(Math.max(value, low)));
}

/** Round values (1, 2 or 5 times a power of ten apart) inside [low, high], about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)!;
  const found: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high * (1 + 1e-9); index++) {
    found.push(Number((index * step).toPrecision(12)));
  }
  return found;
}

/** How far apart ticks are; 0 for fewer than two. */
export function stepOf(marks: readonly number[]): number {
  const [first, second] = marks;
  return first === undefined || second === undefined ? 0 : second - first;
}

/** The powers of ten inside [low, high]; with fewer than three of them, also 2 and 5 times each. */
export function logTicks(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) found.push(Number((factor * 10 ** power).toPrecision(6)));
  }
  const inside = found.filter((tick) => tick >= low && tick <= high);
  const decades = inside.filter((tick) => Number.isInteger(Math.log10(tick)));
  return decades.length >= 3 ? decades : inside;
}

/** A fraction as an SVG percentage. Charts stretch with the page by these, while their text keeps its size. */
export function at(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))}%`;
}
