import { html, type Markup } from '../markup.ts';
import { at } from '../scale.ts';

/** Fractions 0..1 of one class; null where a model has none. */
export interface Dumbbell {
  teacher: number | null;
  student: number | null;
  baseline: number | null;
}

const HEIGHT = 22;
/** Dots at 0 and 1 stay inside: the scale leaves 3 % at each side. */
const place = (fraction: number) => at(0.03 + 0.94 * fraction);

/** Teacher and student as two dots on a bar, the baseline as a hollow one. */
export function dumbbell(values: Dumbbell): Markup {
  const { teacher, student, baseline } = values;
  const middle = HEIGHT / 2;
  return html`<svg class="dumbbell" width="100%" height="${HEIGHT}" aria-hidden="true">${[
    0, 0.25, 0.5, 0.75, 1,
  ].map((tick) => html`<line class="grid" x1="${place(tick)}" x2="${place(tick)}" y1="0" y2="${HEIGHT}"/>`)}${
    teacher !== null &&
    student !== null &&
    html`<line class="span ${student < teacher ? 'lost' : 'won'}" x1="${place(teacher)}" x2="${place(student)}" y1="${middle}" y2="${middle}"/>`
  }${
    baseline !== null && html`<circle class="hollow baseline" cx="${place(baseline)}" cy="${middle}" r="4"/>`
  }${teacher !== null && html`<circle class="dot teacher" cx="${place(teacher)}" cy="${middle}" r="5"/>`}${
    student !== null && html`<circle class="dot student" cx="${place(student)}" cy="${middle}" r="5"/>`
  }</svg>`;
}

/** The scale above the dumbbells. */
export function dumbbellAxis(): Markup {
  return html`<svg class="dumbbell" width="100%" height="14" aria-hidden="true">${[0, 0.25, 0.5, 0.75, 1].map(
    (tick) => html`<text class="tick middle" x="${place(tick)}" y="11">${tick * 100}</text>`,
  )}</svg>`;
}
