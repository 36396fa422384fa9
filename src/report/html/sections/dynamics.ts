import type { ReportData } from '../../report-data.ts';
import type { FollowedSample } from '../../sample-dynamics.ts';
import { cartography } from '../charts/cartography.ts';
import { collapsedList } from '../collapsed.ts';
import { decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { exampleMedia } from './example-media.ts';

const REGIONS = [
  { key: 'easy', title: 'Easy', about: 'The student was surest of these.' },
  { key: 'ambiguous', title: 'Ambiguous', about: 'Its answer changed most from one look to the next.' },
  { key: 'hard', title: 'Hard', about: 'It never came to believe these: rare ones, or wrong labels.' },
] as const;

/** How training went for its samples, as a map with examples; nothing where they were not followed. */
export function dynamicsSection(data: Pick<ReportData, 'dynamics' | 'labels' | 'unit'>): Markup | null {
  const { dynamics, labels, unit } = data;
  if (!dynamics || dynamics.samples === 0) return null;
  const { samples, looks, confidence, correctness, examples } = dynamics;
  return html`<section aria-labelledby="dynamics">
<h2 id="dynamics">What was easy, what was hard</h2>
<p class="about">While it trained, the student saw each of its ${decimal(samples)} training ${unit} ${decimal(looks, 1)} times on average. ${about(confidence, correctness)}</p>
<figure class="wide">
<figcaption><h3>Map of the training ${unit}</h3>${correctness !== undefined && LEGEND}<p class="about">Upwards: confidence, the mean probability that the student gave to the sample’s class${correctness === undefined && ' (of answers that are no classes: how near they came, 1 being exact)'}. To the right: variability, the standard deviation of that probability. A disc’s area grows with the number of samples.</p></figcaption>
${cartography(dynamics.cells)}
</figure>
${REGIONS.map(({ key, title, about }) =>
  examples[key].length === 0
    ? null
    : html`<div class="region"><h3>${title}</h3><p class="about">${about}</p>${collapsedList(
        examples[key].map((example) => card(example, labels)),
        { shown: 3, what: `more that were ${title.toLowerCase()}`, className: 'cards' },
      )}</div>`,
)}
</section>`;
}

const LEGEND = html`<ul class="legend"><li><span class="key c0"></span>never right</li><li><span class="key c2"></span>half the time</li><li><span class="key c4"></span>always right</li></ul>`;

function about(confidence: number, correctness: number | undefined): string {
  if (correctness === undefined)
    return `Its mean confidence in what is true of them (the data, or the teacher’s answer) was ${percent(confidence, 0)}.`;
  return `It gave their class (the label, or the teacher’s answer) a probability of ${percent(confidence, 0)} and was right ${percent(correctness, 0)} of the time.`;
}

function card(example: FollowedSample, labels: readonly string[]): Markup {
  const { confidence, variability, correctness } = example;
  return html`<li class="card">${exampleMedia(example)}<blockquote dir="auto">${example.text}</blockquote>
<p class="truth"><span class="muted">${example.givenBy === 'label' ? 'Label' : 'The teacher says'}</span> <b><bdi>${example.label === undefined ? '' : labels[example.label]}</bdi></b></p>
<p class="small muted">confidence ${decimal(confidence, 2)}, variability ${decimal(variability, 2)}${correctness === undefined ? '' : `, right ${percent(correctness, 0)}`}</p></li>`;
}
