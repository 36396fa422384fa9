import type { ClassAnswers } from '../../class-answers.ts';
import { expectedCalibrationError } from '../../reliability.ts';
import { reliabilityChart } from '../charts/reliability-chart.ts';
import { percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** Whether the models' confidence can be trusted. */
export function calibrationSection({ calibration }: ClassAnswers): Markup | null {
  if (!calibration) return null;
  const { teacher, student, baseline } = calibration;
  const series = [
    ...(teacher ? [{ title: 'Teacher', color: 'teacher', bins: teacher }] : []),
    { title: 'Student', color: 'student', bins: student },
    ...(baseline ? [{ title: 'Baseline', color: 'baseline', bins: baseline }] : []),
  ];
  return html`<section aria-labelledby="calibration">
<h2 id="calibration">How sure, and how rightly</h2>
<div class="pair narrow">
<figure>${reliabilityChart(series)}</figure>
<div>
<p class="about">Accuracy (upward) of the answers given with a certain confidence (to the right), in percent. On the dotted diagonal a model is exactly as sure as it may be; below it, too sure; above it, too modest.</p>
<table class="plain"><thead><tr><th scope="col">Model</th><th scope="col" class="end">Calibration error</th></tr></thead>
<tbody>${series.map(
    ({ title, color, bins }) =>
      html`<tr><th scope="row"><span class="key ${color}"></span>${title}</th><td class="end">${percent(expectedCalibrationError(bins))}</td></tr>`,
  )}</tbody></table>
<p class="about">The expected calibration error: the mean distance between confidence and accuracy, over ten bins.</p>
</div>
</div>
</section>`;
}
