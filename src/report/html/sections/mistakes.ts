import { type ClassAnswers, confusedPairs, type Mistake } from '../../class-answers.ts';
import { bar } from '../charts/bar.ts';
import { heatMap, orderByConfusion } from '../charts/heat-map.ts';
import { collapsedList } from '../collapsed.ts';
import { decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { exampleMedia } from './example-media.ts';

const MOST_CLASSES = 32;

/** What a student without a teacher gets wrong. */
export function mistakesSection({ confusion, labels, mistakes, taught }: ClassAnswers, unit: string): Markup {
  const pairs = confusedPairs(confusion.student);
  const wrong = pairs.reduce((sum, { count }) => sum + count, 0);
  const order = orderByConfusion(labels.length, pairs, MOST_CLASSES);
  const most = Math.max(1, ...pairs.map(({ count }) => count));
  return html`<section aria-labelledby="mistakes">
<h2 id="mistakes">Its mistakes</h2>
<p class="about">${decimal(wrong)} wrong answers. Rows are the true classes, columns the answers; classes that are mixed up stand together.${labels.length > MOST_CLASSES && ` Of ${labels.length} classes, the ${MOST_CLASSES} with the most errors.`}</p>
<figure><div class="scroll" tabindex="0" role="region" aria-label="Map of the confusions">${heatMap({ title: `Confusions: ${wrong} answers`, labels, order, pairs, most, color: 'student' })}</div></figure>
${
  mistakes.length > 0 &&
  html`<div class="region"><h3>Some of them</h3><p class="about">Drawn at random.</p>${collapsedList(
    mistakes.map((mistake) => card(mistake, labels, taught)),
    { shown: 6, what: `more ${unit} that it got wrong`, className: 'cards' },
  )}</div>`
}
</section>`;
}

function card(
  { truth, student, ...example }: Mistake,
  labels: readonly string[],
  taught: boolean | undefined,
): Markup {
  return html`<li class="card">${exampleMedia(example)}<blockquote dir="auto">${example.text}</blockquote>
<p class="truth"><span class="muted">${taught ? 'Teacher' : 'In truth'}</span> <b><bdi>${labels[truth]}</bdi></b></p>
<dl><div><dt><span class="key student"></span>Student</dt><dd class="answer"><bdi>${labels[student.label]}</bdi> <span class="wrong">✗<span class="hidden">wrong</span></span></dd><dd class="sure">${percent(student.confidence, 0)}<span class="hidden"> sure</span>${bar(student.confidence, 'student')}</dd></div></dl></li>`;
}
