import { STAGES, type StageName } from '../../../events.ts';
import type { ReportData } from '../../report-data.ts';
import type { RunResult, TrainResult } from '../../result.ts';
import { stackedBar } from '../charts/stacked-bar.ts';
import { bytes, decimal, percent, seconds } from '../format.ts';
import { html, type Markup } from '../markup.ts';

const ABOUT: Record<StageName, string> = {
  data: 'read and split the data',
  teacher: 'load the teacher and train its head',
  label: 'the teacher answers every training sample, once',
  peer: 'linear models learn the same, to compare with',
  train: 'the student learns from the answers kept',
  baseline: 'the same student learns from the labels alone',
  export: 'write and quantise the files',
  evaluate: 'reload the files, measure and time them',
  report: 'write this page',
};

/** What the run cost: time by stage, the teacher's work, and the machine. */
export function costSection(
  data: Pick<ReportData, 'unit'> & {
    readonly result: TrainResult & Partial<Pick<RunResult, 'teacherCalls' | 'teacherCallsSaved'>>;
  },
): Markup {
  const { seconds: spent, machine, engine } = data.result;
  const stages = STAGES.filter((stage) => spent[stage] > 0);
  return html`<section aria-labelledby="cost">
<h2 id="cost">What it cost</h2>
<p class="about">${seconds(spent.total)} on <bdi>${machine.cpu}</bdi>, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, with at most ${bytes(machine.memoryPeakBytes)} of memory.${teachersWork(data)}</p>
${stackedBar(
  'Time by stage',
  stages.map((stage) => ({
    name: stage,
    value: spent[stage],
    shown: seconds(spent[stage]),
    color: `stage-${stage}`,
  })),
  { legend: false },
)}
<table class="plain"><thead><tr><th scope="col">Stage</th><th scope="col" class="what">What is done</th><th scope="col" class="end">Time</th><th scope="col" class="end">Share</th></tr></thead>
<tbody>${stages.map(
    (stage) =>
      html`<tr><th scope="row"><span class="key stage-${stage}"></span>${stage}</th><td class="what muted">${stage === 'train' && data.result.teacherCalls === undefined ? 'the student learns from the labels' : ABOUT[stage]}</td><td class="end">${seconds(spent[stage])}</td><td class="end">${percent(spent[stage] / Math.max(spent.total, 1e-9))}</td></tr>`,
  )}</tbody>
<tfoot><tr><th scope="row">total</th><td class="what muted"><bdi>${engine}</bdi>, Node ${machine.node}</td><td class="end">${seconds(spent.total)}</td><td class="end"></td></tr></tfoot></table>
</section>`;
}

/** How often the teacher was asked, and how often the store knew; nothing where there is none. */
function teachersWork({ unit, result }: Parameters<typeof costSection>[0]): string {
  const { teacherCalls, teacherCallsSaved = 0 } = result;
  if (teacherCalls === undefined) return '';
  const answers = teacherCalls + teacherCallsSaved;
  const saved =
    teacherCallsSaved > 0
      ? `; ${decimal(teacherCallsSaved)} more answers (${percent(teacherCallsSaved / answers, 0)}) came from the knowledge store`
      : '; the answers are kept in the knowledge store for every later run';
  return ` The teacher answered ${decimal(teacherCalls)} ${unit}${saved}.`;
}
