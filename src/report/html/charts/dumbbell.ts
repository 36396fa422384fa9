import { decimal, digitsOf } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { at, linearScale, stepOf, ticks } from '../scale.ts';

/** Fractions 0..1 of one class; null where a model has none. */
export interface Dumbbell {
  teacher: number | null;
  student: number | null;
  baseline: number | null;
}

const HEIGHT = 22;
const AXIS_HEIGHT = 14;

/** The part of 0..1 that the dumbbells of a table show: all values, to the next round number. */
export interface DumbbellRange {
  low: number;
  high: number;
}

export function dumbbellRange(rows: readonly Dumbbell[]): DumbbellRange {
  const values = rows
    .flatMap((row) => [row.teacher, row.student, row.baseline])
    .filter((value): value is number => value !== null);
  if (values.length === 0) return { low: 0, high: 1 };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const unit = [0.1, 0.05, 0.02, 0.01].find((size) => most - least >= 2 * size) ?? 0.01;
  const low = Math.max(0, Number((Math.floor(least / unit + 1e-9) * unit).toFixed(4)));
  const high = Number((Math.ceil(most / unit - 1e-9) * unit).toFixed(4));
  return { low: high <= low ? Math.min(low, 1 - unit) : low, high: Math.min(1, Math.max(high, low + unit)) };
}

/** Teacher and student as two dots on a bar, the baseline as a hollow one. */
export function dumbbell(values: Dumbbell, range: DumbbellRange): Markup {
  const { teacher, student, baseline } = values;
  const place = placeIn(range);
  const middle = HEIGHT / 2;
  return html`<svg class="dumbbell" width="100%" height="${HEIGHT}" aria-hidden="true">${ticks(
    range.low,
    range.high,
    4,
  ).map((tick) => html`<line class="grid" x1="${place(tick)}" x2="${place(tick)}" y1="0" y2="${HEIGHT}"/>`)}${
    teacher !== null &&
    student !== null &&
    html`<line class="span ${student < teacher ? 'lost' : 'won'}" x1="${place(teacher)}" x2="${place(student)}" y1="${middle}" y2="${middle}"/>`
  }${
    baseline !== null && html`<circle class="hollow baseline" cx="${place(baseline)}" cy="${middle}" r="4"/>`
  }${teacher !== null && html`<circle class="dot teacher" cx="${place(teacher)}" cy="${middle}" r="5"/>`}${
    student !== null && html`<circle class="dot student" cx="${place(student)}" cy="${middle}" r="5"/>`
  }</svg>`;
}

/** The scale above the dumbbells, in percent. */
export function dumbbellAxis(range: DumbbellRange): Markup {
  const place = placeIn(range);
  const marks = ticks(range.low, range.high, 4);
  const digits = digitsOf(stepOf(marks));
  return html`<svg class="dumbbell" width="100%" height="${AXIS_HEIGHT}" aria-hidden="true">${marks.map(
    (tick) =>
      html`<text class="tick ${anchorOf(tick, range)}" x="${place(tick)}" y="11">${decimal(tick * 100, digits)}</text>`,
  )}</svg>`;
}

/** Numbers at the ends stand inside. */
function anchorOf(tick: number, { low, high }: DumbbellRange): 'start' | 'middle' | 'end' {
  const part = (tick - low) / (high - low);
  return part < 0.05 ? 'start' : part > 0.95 ? 'end' : 'middle';
}

/** Dots and numbers at the ends stay inside: 4 % are left at each side. */
function placeIn(range: DumbbellRange): (fraction: number) => string {
  const scale = linearScale(range.low, range.high);
  return (fraction) => at(0.04 + 0.92 * scale(fraction));
}
