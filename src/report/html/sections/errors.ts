import type { ClassAnswers, ConfusionPair } from '../../class-answers.ts';
import { bar } from '../charts/bar.ts';
import { heatMap, orderByConfusion } from '../charts/heat-map.ts';
import { stackedBar } from '../charts/stacked-bar.ts';
import { decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

const MOST_CLASSES = 32;
const TOP_PAIRS = 8;

/** Whose mistakes the student makes: the teacher's, or its own. */
export function errorsSection({ errors, labels }: ClassAnswers, unit: string): Markup | null {
  if (!errors) return null;
  const { inherited, own, corrected, agreed, total } = errors;
  const wrong = inherited.count + own.count;
  const pairs = [...inherited.pairs, ...own.pairs];
  const order = orderByConfusion(labels.length, pairs, MOST_CLASSES);
  const most = Math.max(1, ...pairs.map((pair) => pair.count));
  const ownTeacherWrong = own.count - own.teacherRight;
  return html`<section aria-labelledby="errors">
<h2 id="errors">Whose mistakes are these?</h2>
<p class="about">Student and teacher give the same answer to ${percent(share(agreed, total))} of the test ${unit}. Of the student’s ${decimal(wrong)} wrong answers, ${percent(share(inherited.count, wrong), 0)} are its teacher’s: the same wrong answer to the same ${unit.replace(/s$/, '')}; ${percent(share(own.count, wrong), 0)} it made itself. It also got ${decimal(corrected)} ${unit} right on which its teacher was wrong.</p>
${stackedBar('The student’s wrong answers by their origin', [
  {
    name: 'Inherited',
    value: inherited.count,
    shown: `${decimal(inherited.count)}: the teacher gave the same wrong answer`,
    color: 'teacher',
  },
  {
    name: 'Own',
    value: own.teacherRight,
    shown: `${decimal(own.teacherRight)}: the teacher was right`,
    color: 'student',
  },
  {
    name: 'Both wrong',
    value: ownTeacherWrong,
    shown: `${decimal(ownTeacherWrong)}: the teacher was wrong in another way`,
    color: 'baseline',
  },
])}
<p class="about maps">Rows are the true classes, columns the answers; classes that are mixed up stand together. Both maps have the same order and the same scale of colour.${labels.length > MOST_CLASSES && ` Of ${labels.length} classes, the ${MOST_CLASSES} with the most errors.`}</p>
<div class="pair maps-pair">
<figure>
<figcaption><h3>Inherited from the teacher</h3></figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Map of the inherited confusions">${heatMap({ title: `Inherited confusions: ${inherited.count} answers`, labels, order, pairs: inherited.pairs, most, color: 'teacher' })}</div>
${pairTable('Most often inherited', inherited.pairs, labels, most, 'teacher')}
</figure>
<figure>
<figcaption><h3>Made by the student</h3></figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Map of the student’s own confusions">${heatMap({ title: `The student’s own confusions: ${own.count} answers`, labels, order, pairs: own.pairs, most, color: 'student' })}</div>
${pairTable('Most often its own', own.pairs, labels, most, 'student')}
</figure>
</div>
</section>`;
}

function pairTable(
  caption: string,
  pairs: readonly ConfusionPair[],
  labels: readonly string[],
  most: number,
  color: string,
): Markup {
  if (pairs.length === 0) return html`<p class="empty">None.</p>`;
  return html`<table class="pairs"><caption>${caption}</caption>
<thead class="hidden"><tr><th scope="col">True class</th><th scope="col">Taken for</th><th scope="col">Texts</th></tr></thead>
<tbody>${pairs
    .slice(0, TOP_PAIRS)
    .map(
      (pair) =>
        html`<tr><td><bdi>${labels[pair.truth]}</bdi></td><td><span class="muted" aria-hidden="true">→ </span><bdi>${labels[pair.predicted]}</bdi></td><td class="end">${decimal(pair.count)}${bar(pair.count / most, color)}</td></tr>`,
    )}</tbody></table>`;
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
