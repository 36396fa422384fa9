import { type ExitFormResult, exitForms, exitsSentence } from '../../exits-result.ts';
import type { ReportData } from '../../report-data.ts';
import { lineChart } from '../charts/line-chart.ts';
import { compact, decimal, milliseconds, percent, percentMark, quantity } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { legend } from './term-lines.ts';

const HEIGHT = 240;

/** How samples leave a student with early exits: accuracy over mean latency, and each exit's part; null without exits. */
export function exitsSection({ result, unit }: Pick<ReportData, 'result' | 'unit'>): Markup | null {
  const { exits } = result;
  if (!exits) return null;
  return html`<section aria-labelledby="exits">
<h2 id="exits">Who leaves early</h2>
<p class="about">A sample leaves at the first exit that is sure enough of its answer (by its ${exits.confidence}). Thresholds were chosen on the validation split, where leaving early may cost at most ${percent(exits.maxDrop)} of accuracy against the last layer for every sample.</p>
${exitForms(exits).map(({ title, form }) => formRegion(title, form, unit))}
</section>`;
}

function formRegion(name: string, form: ExitFormResult, unit: string): Markup {
  const { exits, validation, test } = form;
  return html`<div class="region"><h3>In ${name}: ${exitsSentence(form)}</h3>
<p class="about">Accuracy on the ${decimal(test.samples)} test ${unit}: ${percent(test.accuracy)}, to the last layer ${percent(test.toTheEnd)}; on the ${decimal(validation.samples)} validation ${unit} ${percent(validation.accuracy)} and ${percent(validation.toTheEnd)}. Latency is the mean of ${decimal(form.latencyMs.samples)} test ${unit}, each in a call of its own; the line joins other thresholds, each at the mean of the exits' latencies by their parts.</p>
<figure>${curveChart(form)}</figure>
<div class="scroll" tabindex="0" role="region" aria-label="Table: exits in ${name}"><table class="plain"><thead><tr><th scope="col">Exit</th><th scope="col" class="end">Threshold</th><th scope="col" class="end">Leave here</th><th scope="col" class="end">Their accuracy</th><th scope="col" class="end">If all left here</th><th scope="col" class="end">Multiplications</th><th scope="col" class="end">Latency, ms</th></tr></thead>
<tbody>${exits.map(
    (exit) =>
      html`<tr><th scope="row"><bdi>${exit.layer === undefined ? 'the end' : `after ${exit.layer}`}</bdi></th><td class="end">${exit.threshold === null ? '–' : exit.threshold.toFixed(3)}</td><td class="end">${percent(exit.share)}</td><td class="end">${exit.accuracy === null ? '–' : percent(exit.accuracy)}</td><td class="end">${percent(exit.accuracyOfAll)}</td><td class="end">${quantity(exit.multiplications)}</td><td class="end">${compact(exit.latencyMs)}</td></tr>`,
  )}</tbody></table></div></div>`;
}

/** Accuracy over mean latency: other thresholds as a line; what was chosen, and the way to the end, as points. */
function curveChart({ curve, test, latencyMs }: ExitFormResult): Markup {
  const point = (accuracy: number, latency: number) => ({
    x: latency,
    y: accuracy,
    title: `${percent(accuracy)} at ${milliseconds(latency)}`,
  });
  const chosen = point(test.accuracy, latencyMs.mean);
  const whole = point(test.toTheEnd, latencyMs.toTheEnd);
  const ordered = [...curve].sort((a, b) => a.latencyMs - b.latencyMs);
  const series = [
    {
      name: 'other thresholds',
      color: 'baseline',
      points: ordered.map((one) => point(one.accuracy, one.latencyMs)),
    },
    { name: `as chosen: ${chosen.title}`, color: 'student', points: [chosen] },
    { name: `to the last layer: ${whole.title}`, color: 'teacher', points: [whole] },
  ];
  return html`${lineChart({
    title: 'Accuracy over mean latency',
    height: HEIGHT,
    formatX: milliseconds,
    formatY: percentMark,
    fromZero: 'unless-flat',
    series,
  })}${legend(series)}`;
}
