import { PRECISIONS } from '../../../export/precisions.ts';
import { type LayeredFile, layeredFiles } from '../../layer-precisions.ts';
import { signed, unitOf } from '../../main-metric.ts';
import type { ReportData } from '../../report-data.ts';
import { answersOneClass, type LayerPrecision, mainMetric } from '../../result.ts';
import { html, type Markup } from '../markup.ts';

/** Which layers of the student's smaller files have which precision, and what it costs; null where all are alike. */
export function layerPrecisionsSection({ result }: Pick<ReportData, 'result'>): Markup | null {
  const files = layeredFiles(result);
  if (files.length === 0) return null;
  const metric = mainMetric(result);
  const isOneClass = answersOneClass(result);
  // As the metric changes: what is lost makes an error larger.
  const change = (lost: number) => signed(metric, metric.better === 'lower' ? lost : -lost, 2);
  const drop = (value: LayerPrecision['drop']) =>
    value === undefined ? '' : value === null ? 'everything' : change(value);
  const cost = (value: LayerPrecision['fourBitCost']) =>
    value === undefined ? '' : value === null ? 'everything' : isOneClass ? value.toFixed(4) : change(value);
  const table = ({ precision, layers }: LayeredFile) => {
    const [hasDrop, hasCost] = [
      layers.some((one) => one.drop !== undefined),
      layers.some((one) => one.fourBitCost !== undefined),
    ];
    return html`<div class="scroll"><table class="plain"><thead><tr><th scope="col">Layer</th><th scope="col">In the ${precision} file</th>${
      hasDrop &&
      html`<th scope="col" class="end">Alone in ${PRECISIONS[precision].title}, ${metric.title}${unitOf(metric)}</th>`
    }${hasCost && html`<th scope="col" class="end">4 bits beside int8, ${isOneClass ? 'cross-entropy' : `${metric.title}${unitOf(metric)}`}</th>`}</tr></thead>
<tbody>${layers.map(
      (one) =>
        html`<tr><th scope="row"><bdi>${one.layer}</bdi></th><td>${PRECISIONS[one.precision].title}</td>${hasDrop && html`<td class="end">${drop(one.drop)}</td>`}${hasCost && html`<td class="end">${cost(one.fourBitCost)}</td>`}</tr>`,
    )}</tbody></table></div>`;
  };
  return html`<section aria-labelledby="layer-precisions">
<h2 id="layer-precisions">Precision by layer</h2>
<p class="about">Measured on the validation split, a layer at a time. What costs too much stays in float32; where the recipe bounds the bytes of the int8 file, what costs least for a byte saved has 4-bit weights.</p>
${files.map(table)}
</section>`;
}
