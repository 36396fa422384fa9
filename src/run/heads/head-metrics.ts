import type { MetricInfo } from '../../metrics/metric.ts';
import type { Head } from '../../targets/head.ts';

/** The metrics of all heads, under the names that they have in an evaluation: `OUTPUT/NAME` where there are several. */
export function metricsOf(heads: readonly Head[]): MetricInfo[] {
  return heads.flatMap(({ output, metrics }) =>
    metrics.map(({ name, title, better, format }) => ({
      name: heads.length > 1 ? `${output}/${name}` : name,
      title: heads.length > 1 ? `${output}: ${title}` : title,
      better,
      format,
    })),
  );
}

/** The name of the metric that a model is judged by where nothing else is said: the main output's own. */
export function selectedMetric(heads: readonly Head[]): string {
  const [main] = heads as [Head, ...Head[]];
  return heads.length > 1 ? `${main.output}/${main.target.selection}` : main.target.selection;
}

/** That metric. */
export function mainMetric(heads: readonly Head[]): MetricInfo {
  const name = selectedMetric(heads);
  return metricsOf(heads).find((metric) => metric.name === name) as MetricInfo;
}

/** All metrics, the one first by which models are compared. */
export function mainFirst(heads: readonly Head[]): readonly [MetricInfo, ...MetricInfo[]] {
  const main = mainMetric(heads);
  return [main, ...metricsOf(heads).filter(({ name }) => name !== main.name)];
}

/** Whether all that a model answers is one class a sample, as logits, which data tell: what classifiers' own methods are for. */
export function isOneClass(heads: readonly Head[]): boolean {
  const [main] = heads;
  const isClass = heads.length === 1 && main?.target.kind === 'class' && main.output === 'logits';
  return isClass && main.labels === 'labels';
}
