import { accuracyInterval } from '../../metrics/interval.ts';
import { type ContinualMethodResult, type ContinualResult, learnsInTurn } from '../continual-result.ts';
import { int8Ships } from '../result.ts';
import { accuracyMatrix } from './charts/accuracy-matrix.ts';
import { type LineSeries, lineChart } from './charts/line-chart.ts';
import { brand, dateOf, figure, renderDocument } from './document.ts';
import { bytes, decimal, percent, percentMark, points, seconds } from './format.ts';
import { html, type Markup } from './markup.ts';
import { STYLE } from './style.ts';

/** All that the page says. */
export interface ContinualReport {
  readonly result: ContinualResult;
  /** ISO 8601. */
  readonly finishedAt: string;
  readonly warnings: readonly string[];
  /** The resolved recipe, YAML. */
  readonly recipe: string;
}

const COLORS: Readonly<Record<string, string>> = {
  naive: 'baseline',
  self: 'term-1',
  ewc: 'term-4',
  replay: 'term-3',
  teacher: 'term-5',
  all: 'student',
  joint: 'term-2',
};

const ABOUT: Readonly<Record<string, string>> = {
  naive: 'Fine-tuning on each task, nothing held against forgetting.',
  self: 'What the student of the task before said of the new samples, over the earlier classes.',
  ewc: 'A spring on every parameter, the stiffer the more an earlier task depended on it.',
  replay: 'A reservoir of earlier samples, with their labels and past answers, beside every batch.',
  teacher: 'The answers of a teacher that knows all tasks, over the classes taught so far.',
  all: 'All remedies together.',
  joint: 'All tasks at once: the upper bound.',
};

const NAMES: Readonly<Record<string, string>> = {
  self: 'distillation from its own past',
  ewc: 'elastic weight consolidation',
  replay: 'replay',
  teacher: 'the teacher',
  all: 'all remedies together',
};

const OWN_STYLE = `
.matrices { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 28px 40px; }
.matrices figure { margin: 0; }
.heat.tasks { min-width: 0; max-width: 250px; }
.heat.tasks .count { font-size: 12px; }
.wide { min-width: 620px; }
`;

/** `report.html` of a continual run: who forgot how much, after which task. Every string is escaped. */
export function renderContinualReport(report: ContinualReport): string {
  const { result } = report;
  return renderDocument({
    title: `${result.name}: ${headline(result)}`,
    style: STYLE + OWN_STYLE,
    body: [
      summary(report),
      methodsSection(result),
      courseSection(result),
      matricesSection(result),
      tasksSection(result),
      shippedSection(result),
      repeatSection(report),
    ],
    footer: html`<p>Made by Limbeck <bdi>${result.version}</bdi>. Forgetting is the mean, over the earlier tasks, of the best accuracy that a task had before minus the one that it has at the end (Chaudhry et al., 2018, equation 3); backward transfer is the mean of the accuracy at the end minus the one right after the task (Lopez-Paz and Ranzato, 2017, equation 3).</p>`,
  });
}

/** The method that forgot least among those that learn in turn, naive aside. */
function best({ methods }: ContinualResult): ContinualMethodResult | undefined {
  const candidates = methods.filter((one) => learnsInTurn(one) && one.method !== 'naive');
  return candidates.toSorted((a, b) => b.accuracy - a.accuracy)[0];
}

function headline(result: ContinualResult): string {
  const winner = best(result);
  const naive = result.methods.find(({ method }) => method === 'naive');
  if (!winner || !naive) return `${result.tasks.length} tasks, one after another`;
  if (winner.accuracy <= naive.accuracy) {
    return `No remedy helped: after ${result.tasks.length} tasks a student is right ${percent(naive.accuracy)} of the time by fine-tuning, ${percent(winner.accuracy)} with ${nameOf(winner)}`;
  }
  return `After ${result.tasks.length} tasks a student is right ${percent(winner.accuracy)} of the time with ${nameOf(winner)}, ${percent(naive.accuracy)} by fine-tuning`;
}

function summary({ result, finishedAt, warnings }: ContinualReport): Markup {
  const { tasks, unit, setting } = result;
  const winner = best(result);
  const joint = result.methods.find((one) => !learnsInTurn(one));
  const told =
    setting === 'class-incremental'
      ? 'An answer is sought among all classes that were taught so far: nobody tells the task.'
      : 'The task of a sample is told: an answer is sought among its classes alone.';
  const tests = tasks.reduce((sum, { test }) => sum + test, 0);
  return html`<header class="summary">
${brand('continual learning report')}
<p class="run"><bdi>${result.name}</bdi> <span class="muted">· ${dateOf(finishedAt)} · seed ${result.seed}</span></p>
<h1>${headline(result)}</h1>
<p class="lede">A student (<bdi>${result.student}</bdi>) learnt ${tasks.length} tasks one after another and was measured on all of them after each, on ${decimal(tests)} ${unit} that it had not seen. ${told}</p>
<ul class="figures">
${winner && figure(percent(winner.accuracy), `right over all tasks, with ${nameOf(winner)}`)}
${winner && figure(points(-winner.forgetting), 'points lost of earlier tasks')}
${typeof winner?.forgettingOfNaive === 'number' && figure(percent(winner.forgettingOfNaive, 0), 'of what fine-tuning forgets')}
${joint && figure(percent(joint.accuracy), 'with all tasks at once, the upper bound')}
</ul>
</header>
${
  warnings.length > 0 &&
  html`<section class="warnings" aria-label="Warnings"><ul>${warnings.map(
    (message) => html`<li class="warning"><b>Warning</b> <bdi>${message}</bdi></li>`,
  )}</ul></section>`
}`;
}

function methodsSection({ methods }: ContinualResult): Markup {
  return html`<section aria-labelledby="methods">
<h2 id="methods">The methods</h2>
<p class="about">After the last task, on the test split.</p>
<div class="scroll"><table class="plain wide">
<thead><tr><th>Method</th><th class="end">Accuracy</th><th class="end">Forgetting</th><th class="end">Backward transfer</th><th class="end">Of naive’s forgetting</th></tr></thead>
<tbody>${methods.map((one) => {
    const turns = learnsInTurn(one);
    const { method, forgettingOfNaive } = one;
    return html`<tr><th scope="row"><span class="key ${colorOf(method)}"></span><bdi>${method}</bdi><span class="small muted">${ABOUT[method]}</span></th><td class="end">${percent(one.accuracy)}</td><td class="end">${turns ? percent(one.forgetting) : '–'}</td><td class="end">${turns ? points(one.backwardTransfer) : '–'}</td><td class="end">${forgettingOfNaive === null ? '–' : percent(forgettingOfNaive, 0)}</td></tr>`;
  })}</tbody>
</table></div>
</section>`;
}

function courseSection({ methods }: ContinualResult): Markup {
  const inTurn = methods.filter(learnsInTurn);
  const joint = methods.find((one) => !learnsInTurn(one));
  const series = (measured: (one: ContinualMethodResult, task: number) => number): LineSeries[] =>
    // The last one is what the page is about: it is drawn last.
    inTurn.toReversed().map((one) => ({
      name: one.method,
      color: colorOf(one.method),
      points: one.matrix.map((_, task) => {
        const y = measured(one, task);
        return { x: task + 1, y, title: `${one.method}, after task ${task + 1}: ${percent(y)}` };
      }),
    }));
  const chart = (title: string, lines: LineSeries[], reference?: number) =>
    lineChart({
      title,
      series: lines,
      formatX: (value) => (Number.isInteger(value) && value > 0 ? `task ${value}` : ''),
      formatY: percentMark,
      height: 280,
      fromZero: 'unless-flat',
      reference:
        reference === undefined
          ? undefined
          : { y: reference, label: `joint ${percent(reference)}`, color: colorOf('joint') },
    });
  return html`<section aria-labelledby="course">
<h2 id="course">From task to task</h2>
<ul class="legend">${inTurn.map(({ method }) => html`<li><span class="key ${colorOf(method)}"></span><bdi>${method}</bdi></li>`)}</ul>
<div class="pair">
<figure>
<figcaption><h3>Accuracy over the tasks so far</h3><p class="about">The mean over the tasks that have been taught, after each.</p></figcaption>
${chart(
  'Mean accuracy over the tasks so far, after each task, by method',
  series((one, task) => one.after[task]!.accuracy),
  joint?.accuracy,
)}
</figure>
<figure>
<figcaption><h3>What is left of the first task</h3><p class="about">Accuracy on the first task after each task.</p></figcaption>
${chart(
  'Accuracy on the first task after each task, by method',
  series((one, task) => one.matrix[task]![0]!),
)}
</figure>
</div>
</section>`;
}

function matricesSection({ methods }: ContinualResult): Markup {
  return html`<section aria-labelledby="matrices">
<h2 id="matrices">Every task after every task</h2>
<p class="about">Rows: after which task. Columns: accuracy on which task, in percent. Down a column is what becomes of a task; the diagonal is what was just learnt.</p>
<div class="matrices">${methods.map(
    (one) =>
      html`<figure><figcaption><h3><span class="key ${colorOf(one.method)}"></span><bdi>${one.method}</bdi></h3></figcaption>${accuracyMatrix(one.method, one.matrix, learnsInTurn(one))}</figure>`,
  )}</div>
</section>`;
}

function tasksSection({ tasks, unit }: ContinualResult): Markup {
  return html`<section aria-labelledby="tasks">
<h2 id="tasks">The tasks</h2>
<div class="scroll"><table class="plain wide">
<thead><tr><th>Task</th><th>Classes</th><th class="end">${unit} to learn from</th><th class="end">validation</th><th class="end">test</th></tr></thead>
<tbody>${tasks.map(
    ({ classes, train, validation, test }, task) =>
      html`<tr><th scope="row">${task + 1}</th><td><bdi>${classes.join(', ')}</bdi></td><td class="end">${decimal(train)}</td><td class="end">${decimal(validation)}</td><td class="end">${decimal(test)}</td></tr>`,
  )}</tbody>
</table></div>
</section>`;
}

/** The student that the run leaves; null for runs of earlier versions, which left none. */
function shippedSection({ shipped, unit }: ContinualResult): Markup | null {
  if (!shipped) return null;
  const { student, studentInt8, method, testSamples = 0 } = shipped;
  const { accuracy = 0 } = student;
  const ships = int8Ships(shipped);
  const int8 = !studentInt8
    ? ''
    : ships
      ? ` As int8 it takes ${bytes(studentInt8.bytes)} and is right ${percent(studentInt8.accuracy ?? 0)} of the time.`
      : ' Its int8 file lost more than the recipe allows, and does not ship.';
  const { low, high } = accuracyInterval(Math.round(accuracy * testSamples), testSamples);
  return html`<section aria-labelledby="student">
<h2 id="student">The student that ships</h2>
<p class="about">In the folder <code>student</code> is the one that learnt by <bdi>${method}</bdi>, best over all tasks on the validation split of the methods that learn task after task: ${bytes(student.bytes)}, right ${percent(accuracy)} of the time among all classes (95\u202f% interval on ${decimal(testSamples)} ${unit}: ${percent(low)} to ${percent(high)}), ${decimal(student.throughput)} ${unit} a second.${int8}</p>
</section>`;
}

function repeatSection({ result, recipe }: ContinualReport): Markup {
  return html`<section aria-labelledby="repeat">
<h2 id="repeat">Repeat it</h2>
<p class="about">The run took ${seconds(result.seconds)} on ${result.machine.cores} cores (<bdi>${result.machine.cpu}</bdi>, ${result.engine}). The same command, recipe and seed on the same machine and engine give the same numbers.</p>
<div class="command"><pre tabindex="0"><code id="command">${result.command}</code></pre><button type="button" id="copy" hidden>Copy</button></div>
<details><summary>The resolved recipe</summary><pre tabindex="0"><code>${recipe}</code></pre></details>
</section>`;
}

function nameOf({ method }: ContinualMethodResult): string {
  return NAMES[method] ?? method;
}

function colorOf(method: string): string {
  return COLORS[method] ?? 'term-total';
}
