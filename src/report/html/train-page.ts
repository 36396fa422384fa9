import { classResults } from '../../metrics/confusion.ts';
import { accuracyInterval } from '../../metrics/interval.ts';
import { studentHeadline } from '../conclusion.ts';
import { shutGate } from '../gate-sentences.ts';
import { expectedCalibrationError } from '../reliability.ts';
import type { ConfusionPair } from '../report-data.ts';
import { int8Ships } from '../result.ts';
import type { Mistake, TrainReport } from '../train-report.ts';
import { bar } from './charts/bar.ts';
import { heatMap, orderByConfusion } from './charts/heat-map.ts';
import { reliabilityChart } from './charts/reliability-chart.ts';
import { collapsedList } from './collapsed.ts';
import { brand, dateOf, figure, renderDocument } from './document.ts';
import { bytes, capital, decimal, percent, quantity } from './format.ts';
import { html, type Markup } from './markup.ts';
import type { ShownModel } from './models.ts';
import { costSection } from './sections/cost.ts';
import { dataSection } from './sections/data.ts';
import { dynamicsSection } from './sections/dynamics.ts';
import { exampleMedia } from './sections/example-media.ts';
import { learningSection } from './sections/learning.ts';
import { repeatSection } from './sections/repeat.ts';
import { scorecardSection } from './sections/scorecard.ts';
import { weightsSection } from './sections/weights.ts';
import { STYLE } from './style.ts';

const MOST_CLASSES = 32;
const MOST_ROWS = 60;

/** `report.html` of a training on labels alone. Every string is escaped, as on the page of a distillation. */
export function renderTrainReport(data: TrainReport): string {
  const curves = { student: data.curve, baseline: null };
  return renderDocument({
    title: `${data.name}: ${headline(data)}`,
    style: STYLE,
    body: [
      summary(data),
      scorecardSection(data, shownModels(data)),
      learningSection(curves, null),
      weightsSection({ curves }),
      dynamicsSection(data),
      classesSection(data),
      mistakesSection(data),
      calibrationSection(data),
      costSection(data),
      dataSection(data, false),
      repeatSection(data),
    ],
    footer: html`<p>Made by Limbeck <bdi>${data.result.version}</bdi>. Macro-F1 is the mean over the classes that occur in the test split. Latency is the median of one call with the inputs at hand; throughput is in batches of 32.</p>`,
  });
}

function headline({ result, unit }: TrainReport): string {
  return studentHeadline(result, unit);
}

function shownModels({ result, student }: TrainReport): ShownModel[] {
  const { studentInt8 } = result;
  const about = int8Ships(result) ? 'the student, quantised' : 'quantised; kept back, it does not ship';
  return [
    { key: 'student', title: 'Student', about: student, result: result.student },
    ...(studentInt8 ? [{ key: 'int8', title: 'Student int8', about, result: studentInt8 }] : []),
  ];
}

function summary(data: TrainReport): Markup {
  const { result, unit, labels } = data;
  const { student, gate } = result;
  const tests = data.data.splits.test;
  const { low, high } = accuracyInterval(Math.round(student.accuracy * tests), tests);
  const warnings = data.warnings.map(({ level, message }) => ({ level, message }));
  if (gate && !gate.passed) {
    warnings.unshift({
      level: 'warning',
      message: `${capital(shutGate(gate))}. The int8 file does not ship.`,
    });
  }
  return html`<header class="summary">
${brand('training report')}
<p class="run"><bdi>${data.name}</bdi> <span class="muted">· ${dateOf(data.finishedAt)} · seed ${result.seed}</span></p>
<h1>${headline(data)}</h1>
<p class="lede">Trained on ${decimal(data.data.labelled)} labels, without a teacher, and measured on ${decimal(tests)} ${unit} that it had not seen, in ${labels.length} classes. The 95\u202f% interval of its accuracy is ${percent(low)} to ${percent(high)}; always giving the most frequent class is right ${percent(result.chance ?? 0)} of the time.</p>
<ul class="figures">
${figure(percent(student.accuracy), `of the test ${unit} are right`)}
${figure(percent(student.macroF1), 'macro-F1')}
${figure(bytes(student.bytes), `${quantity(student.parameters)} parameters`)}
${figure(decimal(student.throughput), `${unit} a second`)}
</ul>
</header>
${
  warnings.length > 0 &&
  html`<section class="warnings" aria-label="Warnings and notes"><ul>${warnings.map(
    ({ level, message }) =>
      html`<li class="${level}"><b>${level === 'warning' ? 'Warning' : 'Note'}</b> <bdi>${message}</bdi></li>`,
  )}</ul></section>`
}`;
}

function classesSection({ confusion, labels, unit }: TrainReport): Markup {
  const all = classResults(confusion).map((result, index) => ({ ...result, label: labels[index] ?? '' }));
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

function mistakesSection({ confusion, labels, mistakes, unit }: TrainReport): Markup {
  const pairs: ConfusionPair[] = confusion.flatMap((row, truth) =>
    row.flatMap((count, predicted) =>
      count > 0 && truth !== predicted ? [{ truth, predicted, count }] : [],
    ),
  );
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
    mistakes.map((mistake) => card(mistake, labels)),
    { shown: 6, what: `more ${unit} that it got wrong`, className: 'cards' },
  )}</div>`
}
</section>`;
}

function card({ truth, student, ...example }: Mistake, labels: readonly string[]): Markup {
  return html`<li class="card">${exampleMedia(example)}<blockquote dir="auto">${example.text}</blockquote>
<p class="truth"><span class="muted">In truth</span> <b><bdi>${labels[truth]}</bdi></b></p>
<dl><div><dt><span class="key student"></span>Student</dt><dd class="answer"><bdi>${labels[student.label]}</bdi> <span class="wrong">✗<span class="hidden">wrong</span></span></dd><dd class="sure">${percent(student.confidence, 0)}<span class="hidden"> sure</span>${bar(student.confidence, 'student')}</dd></div></dl></li>`;
}

function calibrationSection({ calibration }: TrainReport): Markup {
  return html`<section aria-labelledby="calibration">
<h2 id="calibration">How sure, and how rightly</h2>
<div class="pair narrow">
<figure>${reliabilityChart([{ title: 'Student', color: 'student', bins: calibration }])}</figure>
<p class="about">Accuracy (upward) of the answers given with a certain confidence (to the right), in percent. On the dotted diagonal a model is exactly as sure as it may be; below it, too sure. The expected calibration error, the mean distance between the two over ten bins, is ${percent(expectedCalibrationError(calibration))}.</p>
</div>
</section>`;
}
