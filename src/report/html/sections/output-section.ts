import type { ClassAnswers } from '../../class-answers.ts';
import type { ReportData } from '../../report-data.ts';
import type { Said, Section, ShownSample } from '../../targets/section.ts';
import { pointsChart } from '../charts/points-chart.ts';
import { collapsedList } from '../collapsed.ts';
import { capital, compact, decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { calibrationSection } from './calibration.ts';
import { classTableSection } from './class-table.ts';
import { classesSection } from './classes.ts';
import { disagreementsSection } from './disagreements.ts';
import { errorsSection } from './errors.ts';
import { exampleMedia } from './example-media.ts';
import { mistakesSection } from './mistakes.ts';
import { legend } from './term-lines.ts';

const MOST_ROWS = 60;
const NAMES = { truth: 'In truth', teacher: 'Teacher', student: 'Student' } as const;

/** What the report says of one output, block by block. One class a sample has sections of its own. */
export function outputSections(
  { name, title, section }: ReportData['outputs'][number],
  unit: string,
): (Markup | null)[] {
  const blocks: Markup[] = [];
  const ofClasses: (Markup | null)[] = [];
  for (const block of section ?? []) {
    if (block.block === 'classes') ofClasses.push(...classSections(block, unit));
    else blocks.push(...[blockOf(block, unit)].filter((one) => one !== null));
  }
  return [...ofClasses, blocks.length > 0 ? blocksSection(name, title, blocks) : null];
}

function classSections(answers: ClassAnswers, unit: string): (Markup | null)[] {
  return answers.errors
    ? [
        classesSection(answers, unit),
        errorsSection(answers, unit),
        disagreementsSection(answers, unit),
        calibrationSection(answers),
      ]
    : [classTableSection(answers, unit), mistakesSection(answers, unit), calibrationSection(answers)];
}

function blocksSection(name: string, title: string, blocks: readonly Markup[]): Markup {
  return html`<section aria-labelledby="output-${name}">
<h2 id="output-${name}">What it answers: ${name}</h2>
<p class="about">${capital(title)}.</p>
${blocks}
</section>`;
}

function blockOf(block: Exclude<Section[number], ClassAnswers>, unit: string): Markup | null {
  if (block.block === 'table') return tableBlock(block);
  if (block.block === 'scatter')
    return html`<div class="region"><h3>${block.title}</h3><p class="about">${block.about}</p><figure>${pointsChart(block)}${legend(
      block.series.map(({ name, color }) => ({ name, color, points: [] })),
    )}</figure></div>`;
  if (block.samples.length === 0) return null;
  return html`<div class="region"><h3>${block.title}</h3><p class="about">${block.about}</p>${collapsedList(
    block.samples.map(sampleCard),
    { shown: 6, what: `more ${unit}`, className: 'cards' },
  )}</div>`;
}

function tableBlock({ title, about, columns, rows }: Extract<Section[number], { block: 'table' }>): Markup {
  const shown = rows.slice(0, MOST_ROWS);
  const hidden = rows.length - shown.length;
  return html`<div class="region"><h3>${title}</h3><p class="about">${about}${hidden > 0 && ` ${hidden} more rows are not shown.`}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table: ${title}"><table class="plain"><thead><tr>${columns.map(
    ({ title: head, format }) => html`<th scope="col" class="${format === 'text' ? '' : 'end'}">${head}</th>`,
  )}</tr></thead>
<tbody>${shown.map(
    (row) =>
      html`<tr>${row.map((cell, i) => {
        const format = columns[i]?.format ?? 'text';
        return i === 0
          ? html`<th scope="row"><bdi>${cell}</bdi></th>`
          : html`<td class="${format === 'text' ? '' : 'end'}">${shownCell(cell, format)}</td>`;
      })}</tr>`,
  )}</tbody></table></div></div>`;
}

function shownCell(cell: string | number | null, format: 'text' | 'percent' | 'number' | 'count'): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  if (format === 'percent') return percent(cell);
  return format === 'count' ? decimal(cell) : compact(cell);
}

function sampleCard({ said, ...example }: ShownSample): Markup {
  const { text, picture } = example;
  const hasMarks = said.some(({ marks }) => marks);
  const besides = said.some(({ boxes }) => boxes) ? 'beside' : '';
  return html`<li class="card ${besides}">${!said.some(({ boxes }) => boxes) && exampleMedia(example)}${!hasMarks && html`<blockquote dir="auto">${text}</blockquote>`}
<dl>${said.map(
    (one) =>
      html`<div><dt>${one.who !== 'truth' && html`<span class="key ${one.who}"></span>`}${NAMES[one.who]}</dt><dd class="answer">${saidOf(one, text, picture)}</dd></div>`,
  )}</dl></li>`;
}

function saidOf({ words, marks, boxes, who }: Said, text: string, picture: string | undefined): Markup {
  if (marks) return markedText(text, marks);
  if (boxes && picture)
    return html`${boxedImage(picture, text, boxes, who)}${words !== undefined && html`<bdi class="written">${words}</bdi>`}`;
  return html`<bdi>${words ?? '–'}</bdi>`;
}

/** A text with its spans; a span that overlaps the one before is left out. */
function markedText(text: string, marks: NonNullable<Said['marks']>): Markup {
  const parts: Markup[] = [];
  let at = 0;
  for (const { from, to, label } of [...marks].sort((a, b) => a.from - b.from)) {
    if (from < at) continue;
    parts.push(html`${text.slice(at, from)}<mark>${text.slice(from, to)}<small> ${label}</small></mark>`);
    at = to;
  }
  return html`<span dir="auto">${parts}${text.slice(at)}</span>`;
}

function boxedImage(
  picture: string,
  text: string,
  boxes: NonNullable<Said['boxes']>,
  who: Said['who'],
): Markup {
  return html`<svg class="boxes" viewBox="0 0 100 100" role="img" aria-label="${text}: ${boxes.map(({ label }) => label).join(', ')}"><image href="${picture}" width="100" height="100" preserveAspectRatio="none"/>${boxes.map(
    ({ label, box: [left, top, right, bottom] }) =>
      html`<g><title>${label}</title>${['halo', who].map(
        (kind) =>
          html`<rect class="${kind}" x="${100 * left}" y="${100 * top}" width="${100 * (right - left)}" height="${100 * (bottom - top)}"/>`,
      )}<text x="${Math.min(70, 100 * left) + 1.5}" y="${Math.max(6, 100 * top + 6.5)}">${label}</text></g>`,
  )}</svg>`;
}
