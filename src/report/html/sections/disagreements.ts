import type { Answer, ClassAnswers, Disagreement } from '../../class-answers.ts';
import { bar } from '../charts/bar.ts';
import { collapsedList } from '../collapsed.ts';
import { percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { exampleMedia } from './example-media.ts';

/** Samples on which teacher and student differ, each as a card. */
export function disagreementsSection({ disagreements, labels, taught }: ClassAnswers, unit: string): Markup {
  return html`<section aria-labelledby="disagreements">
<h2 id="disagreements">Where they disagree</h2>
<p class="about">Drawn at random: in turn one that only the student got right, one that only the teacher got right, and one that both got wrong.</p>
${
  disagreements.length === 0
    ? html`<p class="empty">Teacher and student gave the same answer to every one of the test ${unit}.</p>`
    : collapsedList(
        disagreements.map((example) => card(example, labels, taught)),
        { shown: 3, what: `more ${unit} on which they disagree`, className: 'cards' },
      )
}
</section>`;
}

function card(example: Disagreement, labels: readonly string[], taught: boolean | undefined): Markup {
  return html`<li class="card">${exampleMedia(example)}<blockquote dir="auto">${example.text}</blockquote>
${taught ? '' : html`<p class="truth"><span class="muted">In truth</span> <b><bdi>${labels[example.truth]}</bdi></b></p>`}
<dl>${answer('Teacher', 'teacher', example.teacher, example.truth, labels)}${answer('Student', 'student', example.student, example.truth, labels)}</dl></li>`;
}

function answer(who: string, color: string, given: Answer, truth: number, labels: readonly string[]): Markup {
  const isRight = given.label === truth;
  return html`<div><dt><span class="key ${color}"></span>${who}</dt><dd class="answer"><bdi>${labels[given.label]}</bdi> <span class="${isRight ? 'right' : 'wrong'}">${isRight ? '✓' : '✗'}<span class="hidden">${isRight ? 'right' : 'wrong'}</span></span></dd><dd class="sure">${percent(given.confidence, 0)}<span class="hidden"> sure</span>${bar(given.confidence, color)}</dd></div>`;
}
