import type { MetricInfo } from '../metrics/metric.ts';
import { amount, signed, unitOf } from './main-metric.ts';
import { type Gate, gateLayers, mainMetric, type TrainResult } from './result.ts';

/** What a shut gate means for the files: the same words in the terminal, on the page and in the card's neighbourhood. */
export function shutGate({
  gate,
  ...result
}: Pick<TrainResult, 'metrics'> & { readonly gate: Gate }): string {
  const metric = mainMetric(result);
  const layers = gateLayers(gate);
  const what = metric.name === 'accuracy' ? 'Cross-entropy that each layer adds' : 'What each layer costs';
  return `the int8 student loses ${lost(gate, metric)}; the recipe allows ${allowed(gate, metric)} (export.int8.maxDrop)${layers && `. ${what} in int8: ${layers}`}`;
}

/** A drop above what is allowed that may be chance: the file ships, and nothing vouches for it. */
export function unclearGate(gate: Gate, metric: MetricInfo): string {
  return `the int8 student loses ${lost(gate, metric)}; the recipe allows ${allowed(gate, metric)}: ${gate.samples} test samples are too few to tell whether that is more, so the file ships`;
}

/** `3.40 points of accuracy (95 % interval: 2.10 to 4.70)` */
function lost({ drop, interval }: Gate, metric: MetricInfo): string {
  const range =
    interval && ` (95 % interval: ${plain(metric, interval.low)} to ${plain(metric, interval.high)})`;
  const by = metric.name === 'accuracy' ? 'of accuracy' : `by ${metric.title}`;
  return `${plain(metric, drop)}${unitOf(metric)} ${by}${range ?? ''}`;
}

function allowed({ maxDrop }: Gate, metric: MetricInfo): string {
  return metric.name === 'accuracy' ? plain(metric, maxDrop) : amount(metric, maxDrop, 2);
}

function plain(metric: MetricInfo, value: number): string {
  return signed(metric, value, 2).replace('+', '').replace('\u2212', '-');
}
