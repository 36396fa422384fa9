import { classResults } from '../../../metrics/confusion.ts';
import type { ClassAnswers } from '../../class-answers.ts';
import { dumbbell, dumbbellAxis, dumbbellRange } from '../charts/dumbbell.ts';
import { capital, decimal, percent, points } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** More rows than this nobody reads: then those where the student lost most are shown. */
const MOST_ROWS = 60;

interface ClassRow {
  label: string;
  support: number;
  teacher: number | null;
  student: number | null;
  baseline: number | null;
}

/** Each class with what teacher, student and baseline get right of it. */
export function classesSection({ labels, confusion }: ClassAnswers, unit: string): Markup {
  const teacher = classResults(confusion.teacher ?? []);
  const student = classResults(confusion.student);
  const baseline = confusion.baseline ? classResults(confusion.baseline) : null;
  const all: ClassRow[] = labels.map((label, index) => ({
    label,
    support: student[index]?.support ?? 0,
    teacher: teacher[index]?.accuracy ?? null,
    student: student[index]?.accuracy ?? null,
    baseline: baseline?.[index]?.accuracy ?? null,
  }));
  const loss = (row: ClassRow) => (row.teacher ?? 0) - (row.student ?? 0);
  const rows = all
    .filter((row) => row.support > 0)
    .sort((a, b) => loss(b) - loss(a))
    .slice(0, MOST_ROWS)
    .sort((a, b) => (b.teacher ?? 0) - (a.teacher ?? 0));
  const range = dumbbellRange(rows);
  const unseen = all.filter((row) => row.support === 0).length;
  const hidden = all.length - unseen - rows.length;
  return html`<section aria-labelledby="classes">
<h2 id="classes">Class by class</h2>
<p class="about">The share of each class’s test ${unit} that is answered rightly, best taught first.${hidden > 0 && ` The ${rows.length} classes where the student lost most; ${hidden} more are not shown.`}${unseen > 0 && ` ${unseen} classes have no test ${unit}.`}</p>
<ul class="legend"><li><span class="key teacher"></span>Teacher</li><li><span class="key student"></span>Student</li>${
    baseline && html`<li><span class="key hollow baseline"></span>Baseline</li>`
  }</ul>
<table class="classes">
<thead><tr><th scope="col">Class</th><th scope="col" class="end texts">${capital(unit)}</th><th scope="col" class="picture"><span class="hidden">Picture of the three, in percent</span>${dumbbellAxis(range)}</th><th scope="col" class="end">Teacher</th><th scope="col" class="end">Student</th><th scope="col" class="end difference">Gap</th>${
    baseline && html`<th scope="col" class="end without">Baseline</th>`
  }</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row"><bdi>${row.label}</bdi></th><td class="end texts muted">${decimal(row.support)}</td><td class="picture">${dumbbell(row, range)}</td><td class="end">${share(row.teacher)}</td><td class="end">${share(row.student)}</td><td class="end difference ${loss(row) > 0.0005 ? 'lost' : 'won'}">${points(-loss(row))}</td>${
        baseline && html`<td class="end without muted">${share(row.baseline)}</td>`
      }</tr>`,
  )}</tbody>
</table>
</section>`;
}

function share(value: number | null): string {
  return value === null ? '–' : percent(value);
}
