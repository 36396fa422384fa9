import { classResults } from '../../../metrics/confusion.ts';
import type { ClassAnswers } from '../../class-answers.ts';
import { capital, decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

const MOST_ROWS = 60;

/** Each class with what a student without a teacher gets right of it. */
export function classTableSection({ confusion, labels }: ClassAnswers, unit: string): Markup {
  const all = classResults(confusion.student).map((result, index) => ({
    ...result,
    label: labels[index] ?? '',
  }));
  const seen = all.filter(({ support }) => support > 0).sort((a, b) => (a.accuracy ?? 0) - (b.accuracy ?? 0));
  const rows = seen.slice(0, MOST_ROWS);
  const hidden = seen.length - rows.length;
  const unseen = all.length - seen.length;
  const share = (value: number | null) => (value === null ? '–' : percent(value));
  return html`<section aria-labelledby="classes">
<h2 id="classes">Class by class</h2>
<p class="about">The share of each class’s test ${unit} that is answered rightly (recall), and of the answers of that class that are right (precision); worst first.${hidden > 0 && ` ${hidden} more classes, which do better, are not shown.`}${unseen > 0 && ` ${unseen} classes have no test ${unit}.`}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table of the classes"><table class="plain"><thead><tr><th scope="col">Class</th><th scope="col" class="end">${capital(unit)}</th><th scope="col" class="end">Recall</th><th scope="col" class="end">Precision</th><th scope="col" class="end">F1</th></tr></thead>
<tbody>${rows.map(
    ({ label, support, accuracy, precision, f1 }) =>
      html`<tr><th scope="row"><bdi>${label}</bdi></th><td class="end muted">${decimal(support)}</td><td class="end">${share(accuracy)}</td><td class="end">${share(precision)}</td><td class="end">${share(f1)}</td></tr>`,
  )}</tbody></table></div>
</section>`;
}
