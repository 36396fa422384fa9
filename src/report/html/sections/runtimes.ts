import { PRECISIONS } from '../../../export/precisions.ts';
import type { ReportData } from '../../report-data.ts';
import { mainMetric } from '../../result.ts';
import type { RuntimeGate } from '../../runtime-gates.ts';
import { layersOf, limitOf, measured } from '../../runtime-sentences.ts';
import { html, type Markup } from '../markup.ts';

const VERDICTS = {
  within: 'kept to',
  unclear: 'unclear: the bound lies in what the value is known to',
  beyond: 'exceeded',
} as const;

/** What the student takes in the runtimes that the recipe bounds, and whether it keeps to the bounds; null where it names none. */
export function runtimesSection({ result }: Pick<ReportData, 'result'>): Markup | null {
  const { runtimeGates } = result;
  if (!runtimeGates || runtimeGates.length === 0) return null;
  const metric = mainMetric(result);
  const row = (gate: RuntimeGate) => {
    const { on, file, bounds, problem } = gate;
    const head = html`<th scope="row"><bdi>${on}</bdi>, ${PRECISIONS[file].title}</th>`;
    if (problem !== undefined) return html`<tr>${head}<td colspan="3"><bdi>${problem}</bdi></td></tr>`;
    return bounds.map(
      (bound) =>
        html`<tr>${head}<td>${measured(gate, bound, metric)}</td><td>${limitOf(bound, metric)}</td><td>${VERDICTS[bound.verdict]}<bdi>${layersOf(bound, metric)}</bdi></td></tr>`,
    );
  };
  const titles = runtimeGates.flatMap(({ on, runtime, threads, calls }) =>
    runtime === undefined
      ? []
      : [
          `${on}: ${runtime}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${calls === undefined ? '' : `, ${calls} calls`}`,
        ],
  );
  return html`<section aria-labelledby="runtimes">
<h2 id="runtimes">In the runtimes that will run it</h2>
<p class="about">Measured on the files as they ship, one test sample a call. <bdi>${titles.join('; ')}</bdi>${titles.length > 0 && '.'}</p>
<table class="plain"><thead><tr><th scope="col">Runtime and file</th><th scope="col">Measured</th><th scope="col">Allowed</th><th scope="col">Bound</th></tr></thead>
<tbody>${runtimeGates.map(row)}</tbody></table>
</section>`;
}
