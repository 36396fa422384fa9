import { PRECISIONS, type Precision } from '../export/precisions.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { amount, signed, unitOf } from './main-metric.ts';
import { type Gate, gateLayers, mainMetric, type TrainResult } from './result.ts';

/** What a shut gate means for the files: the same words in the terminal, on the page and in the card's neighbourhood. */
export function shutGate(
  { gate, ...result }: Pick<TrainResult, 'metrics'> & { readonly gate: Gate },
  precision: Precision = 'int8',
): string {
  const metric = mainMetric(result);
  const layers = gateLayers(gate);
  const what = metric.name === 'accuracy' ? 'Cross-entropy that each layer adds' : 'What each layer costs';
  return `the ${inPrecision(precision)} loses ${lost(gate, metric)}; the recipe allows ${allowed(gate, metric)} (export.${precision}.maxDrop)${layers && `. ${what} in ${PRECISIONS[precision].title}: ${layers}`}`;
}

/** A drop above what is allowed that may be chance: the file ships, and nothing vouches for it. */
export function unclearGate(gate: Gate, metric: MetricInfo, precision: Precision = 'int8'): string {
  return `the ${inPrecision(precision)} loses ${lost(gate, metric)}; the recipe allows ${allowed(gate, metric)}: ${gate.samples} test samples are too few to tell whether that is more, so the file ships`;
}

/** The student, by the precision of its file. */
function inPrecision(precision: Precision): string {
  return precision === 'int8' ? 'int8 student' : `student in ${PRECISIONS[precision].title}`;
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
