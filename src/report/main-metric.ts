import { formatValue } from '../metrics/format-metric.ts';
import { type Difference, direction } from '../metrics/interval.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { percent, points } from './html/format.ts';
import type { Gain, ModelResult } from './result.ts';
import { metricValue } from './result.ts';

/** Words for the metric by which models are compared. Accuracy needs no name: a model is right, or it is not. */

/** `is right 71.0 % of the time`, `has macro-AUROC 91.2 %`. */
export function isOrHas(metric: MetricInfo, model: Pick<ModelResult, 'metrics'>): string {
  const value = shownValue(metric, metricValue(model, metric));
  return isAccuracy(metric) ? `is right ${value} of the time` : `has ${metric.title} ${value}`;
}

/** `71.0 %`, `macro-AUROC 91.2 %`. */
export function namedValue(metric: MetricInfo, model: Pick<ModelResult, 'metrics'>): string {
  const value = shownValue(metric, metricValue(model, metric));
  return isAccuracy(metric) ? value : `${metric.title} ${value}`;
}

/** A value of a metric as pages have it. */
export function shownValue(metric: Pick<MetricInfo, 'format'>, value: number): string {
  return metric.format === 'percent' && !Number.isNaN(value) ? percent(value) : formatValue(metric, value);
}

/** A gain whose bounds are known; those that are not known tell nothing. */
export function asDifference({ difference, low, high }: Gain): Difference {
  return {
    difference: difference ?? 0,
    low: low ?? Number.NEGATIVE_INFINITY,
    high: high ?? Number.POSITIVE_INFINITY,
  };
}

/** What a gain may be called: its sign when its interval leaves out 0, else `unclear`. */
export function directionOf(gain: Gain): 'higher' | 'lower' | 'unclear' {
  return direction(asDifference(gain));
}

/** `12.5 points`, of an error `12.5 %`, of a number `0.12`; without a sign. */
export function amount(metric: MetricInfo, value: number, digits = 1): string {
  const number = signed(metric, value, digits).replace(/^[+\u2212]/, '');
  return `${number}${unitOf(metric)}`;
}

/** The unit that differences by a metric are told in, with the space before it. */
export function unitOf({ better, format }: MetricInfo): string {
  if (better === 'lower') return '\u202f%';
  return format === 'percent' ? ' points' : '';
}

/** A difference with its sign, without its unit: of an error the part of it, in percent. */
export function signed({ better, format }: MetricInfo, value: number, digits = 1): string {
  if (better === 'lower' || format === 'percent') return points(value, digits);
  const number = Math.abs(value).toPrecision(2);
  return `${value < 0 ? '\u2212' : '+'}${number}`;
}

/** `12.5 points (95 % interval: 11.2 to 13.8)`, the interval where one is known. */
export function margin(metric: MetricInfo, gain: Gain): string {
  return `${bare(metric, gain.difference ?? 0)}${unitOf(metric)}${rangeOf(metric, gain)}`;
}

/** A gain by a metric of which less is better, in its own direction: `12.5 % lower (95 % interval: 11.2 to 13.8)`. */
export function lowerBy(metric: MetricInfo, gain: Gain, digits = 1): string {
  const isHigher = (gain.difference ?? 0) < 0;
  const told = isHigher ? negated(gain) : gain;
  return `${bare(metric, told.difference ?? 0, digits)}${unitOf(metric)} ${isHigher ? 'higher' : 'lower'}${rangeOf(metric, told, digits)}`;
}

/** Of a gain that is a part of the other model's value: the same as a part of one's own, by which the other gains. */
export function fromOther({ difference, low, high }: Gain): Gain {
  const part = (value: number | null) => (value === null || value >= 1 ? null : -value / (1 - value));
  return { difference: part(difference), low: part(high), high: part(low) };
}

function rangeOf(metric: MetricInfo, { low, high }: Gain, digits = 1): string {
  if (low === null || high === null || high <= low) return '';
  return ` (95\u202f% interval: ${bare(metric, low, digits)} to ${bare(metric, high, digits)})`;
}

function bare(metric: MetricInfo, value: number, digits = 1): string {
  return signed(metric, value, digits).replace(/^\+/, '');
}

export function negated({ difference, low, high }: Gain): Gain {
  const minus = (value: number | null) => (value === null ? null : -value);
  return { difference: minus(difference), low: minus(high), high: minus(low) };
}

function isAccuracy({ name }: MetricInfo): boolean {
  return name === 'accuracy';
}
