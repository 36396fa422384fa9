import type { ReportData } from '../../report-data.ts';
import { isDistilled } from '../../result.ts';
import type { ToldStage } from '../../told-stage.ts';
import { stackedBar } from '../charts/stacked-bar.ts';
import { bytes, decimal, percent, seconds } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** What the run cost: time by stage, the teacher's work, and the machine. */
export function costSection(data: ReportData): Markup {
  const { seconds: spent, machine, engine } = data.result;
  const stages = toldStages(data).filter(({ name }) => spent[name] > 0);
  return html`<section aria-labelledby="cost">
<h2 id="cost">What it cost</h2>
<p class="about">${seconds(spent.total)} on <bdi>${machine.cpu}</bdi>, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, with at most ${bytes(machine.memoryPeakBytes)} of memory.${teachersWork(data)}</p>
${stackedBar(
  'Time by stage',
  stages.map(({ name }) => ({
    name,
    value: spent[name],
    shown: seconds(spent[name]),
    color: colorOf(name),
  })),
  { legend: false },
)}
<table class="plain"><thead><tr><th scope="col">Stage</th><th scope="col" class="what">What is done</th><th scope="col" class="end">Time</th><th scope="col" class="end">Share</th></tr></thead>
<tbody>${stages.map(
    ({ name, about }) =>
      html`<tr><th scope="row"><span class="key ${colorOf(name)}"></span>${name}</th><td class="what muted">${about}</td><td class="end">${seconds(spent[name])}</td><td class="end">${percent(spent[name] / Math.max(spent.total, 1e-9))}</td></tr>`,
  )}</tbody>
<tfoot><tr><th scope="row">total</th><td class="what muted"><bdi>${engine}</bdi>, Node ${machine.node}</td><td class="end">${seconds(spent.total)}</td><td class="end"></td></tr></tfoot></table>
</section>`;
}

/** The stages in their order; those of a report that does not tell of them as their seconds are kept. */
function toldStages({ stages, result }: ReportData): readonly ToldStage[] {
  if (stages) return stages;
  const names = Object.keys(result.seconds).filter((name) => name !== 'total');
  return names.map((name) => ({ name, about: '' }));
}

/** The class that colours a stage. */
function colorOf(name: string): string {
  return `stage stage-${name}`;
}

/** How often the teacher was asked, and how often the store knew; nothing where there is none. */
function teachersWork({ unit, result }: ReportData): string {
  if (!isDistilled(result)) return '';
  const { teacherCalls, teacherCallsSaved } = result;
  const answers = teacherCalls + teacherCallsSaved;
  const saved =
    teacherCallsSaved > 0
      ? `; ${decimal(teacherCallsSaved)} more answers (${percent(teacherCallsSaved / answers, 0)}) came from the knowledge store`
      : '; the answers are kept in the knowledge store for every later run';
  return ` The teacher answered ${decimal(teacherCalls)} ${unit}${saved}.`;
}
