import { join, relative } from 'node:path';
import { percent } from '../percent.ts';
import {
  type ContinualMethodResult,
  type ContinualResult,
  learnsInTurn,
} from '../report/continual-result.ts';
import { formatDuration, plainLine } from './progress/format.ts';
import { table } from './table.ts';

/** What a person wants to know of a continual run: the methods side by side. */
export function continualSummary(result: ContinualResult, out: string, workingFolder: string): string {
  const folder = plainLine(relative(workingFolder, out) || '.');
  const { tasks, methods, setting } = result;
  const head = [
    '',
    ...tasks.map((_, task) => `after ${task + 1}`),
    'forgetting',
    'backward transfer',
    "of naive's",
  ];
  const names = tasks.map(({ classes }, task) => `  ${task + 1}  ${plainLine(classes.join(', '))}`);
  return `The tasks (${setting}):
${names.join('\n')}

Accuracy over the tasks learnt so far, on the test split:
${table([head, ...methods.map((method) => methodRow(method, tasks.length))])}
It took ${formatDuration(result.seconds)}.

${modelLine(result, folder)}  report  ${join(folder, 'report.html')}
`;
}

/** Where the student is, and by which method it learnt. */
function modelLine({ shipped }: ContinualResult, folder: string): string {
  return shipped ? `  model   ${join(folder, 'student')} (${plainLine(shipped.method)})\n` : '';
}

function methodRow(result: ContinualMethodResult, tasks: number): string[] {
  const { method, after, forgetting, backwardTransfer, forgettingOfNaive } = result;
  if (!learnsInTurn(result)) {
    return [method, ...Array(tasks - 1).fill(''), percent(result.accuracy), '', '', ''];
  }
  return [
    method,
    ...after.map(({ accuracy }) => percent(accuracy)),
    percent(forgetting),
    percent(backwardTransfer),
    forgettingOfNaive === null ? '' : percent(forgettingOfNaive, 0),
  ];
}
