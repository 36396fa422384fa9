import { PRECISIONS } from '../export/precisions.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { bytes, compact, decimal, percent } from './html/format.ts';
import { shownValue } from './main-metric.ts';
import { mainMetric, type TrainResult } from './result.ts';
import type { RuntimeBound, RuntimeGate } from './runtime-gates.ts';

/** What bounds of runtimes come to, in the same words in the terminal, on the page and in the model card. */

type Gated = Pick<TrainResult, 'metrics' | 'runtimeGates'>;

/** Every bound that was exceeded, a sentence each without its full stop; none where the student keeps to all. */
export function shutRuntimes(result: Gated): string[] {
  const metric = mainMetric(result);
  return (result.runtimeGates ?? []).flatMap((gate) => [
    ...(gate.problem === undefined
      ? []
      : [`the ${titleOf(gate)} file cannot be run on ${gate.on} (export.gate.${gate.on}): ${gate.problem}`]),
    ...gate.bounds
      .filter(({ verdict }) => verdict === 'beyond')
      .map((bound) => `${against(gate, bound, metric)}${layersOf(bound, metric)}`),
  ]);
}

/** A bound that lies within what the value is known to: the student ships, and nothing vouches for it. */
export function unclearRuntime(gate: RuntimeGate, bound: RuntimeBound, metric: MetricInfo): string {
  const why =
    bound.kind === 'metric'
      ? `${gate.samples} test samples are too few to tell`
      : `${gate.starts} starts do not tell`;
  return `${against(gate, bound, metric)}: ${why} whether it is kept to, so the student ships`;
}

/** What was measured in each runtime, a line each: `on wasm (onnxruntime-web 1.30.0, ...), int8: 2.1 ms in half of all calls (at most 5 ms)`. */
export function runtimeLines(result: Gated): string[] {
  const metric = mainMetric(result);
  return (result.runtimeGates ?? []).map((gate) => {
    const { on, runtime, threads, problem, bounds } = gate;
    const where = runtime ? ` (${runtime}, ${threads} ${threads === 1 ? 'thread' : 'threads'})` : '';
    const told = bounds.map(
      (bound) => `${measured(gate, bound, metric)}${VERDICTS[bound.verdict]}, ${limitOf(bound, metric)}`,
    );
    return `on ${on}${where}, ${titleOf(gate)}: ${problem ?? told.join('; ')}`;
  });
}

const VERDICTS = { within: '', unclear: ' (unclear)', beyond: ' (beyond)' } as const;

/** `the int8 file takes 6.2 ms ... on wasm; the recipe allows 5 ms (export.gate.wasm.p50)` */
function against(gate: RuntimeGate, bound: RuntimeBound, metric: MetricInfo): string {
  const { on } = gate;
  const verb = { p50: 'takes', p90: 'takes', bytes: 'has', metric: 'reaches' }[bound.kind];
  const place = bound.kind === 'bytes' ? '' : ` on ${on}`;
  const limit =
    bound.kind === 'metric'
      ? `the recipe asks for ${limitOf(bound, metric)}`
      : `the recipe allows ${allowed(bound, metric)}`;
  return `the ${titleOf(gate)} file ${verb} ${measured(gate, bound, metric)}${place}; ${limit} (export.gate.${on}.${bound.kind})`;
}

/** `at most 5 ms`, `at least 62.0 %` */
export function limitOf(bound: RuntimeBound, metric: MetricInfo): string {
  const isLeast = bound.kind === 'metric' && metric.better === 'higher';
  return `at ${isLeast ? 'least' : 'most'} ${allowed(bound, metric)}`;
}

/** The measured value with what it is known to: `6.2 ms in half of all calls (5 starts: 6.1 to 6.4 ms)`. */
export function measured(gate: RuntimeGate, bound: RuntimeBound, metric: MetricInfo): string {
  const { kind, interval } = bound;
  const value = bound.value ?? Number.NaN;
  if (kind === 'bytes') return bytes(value);
  if (kind === 'metric') {
    const known = interval
      ? ` (95\u202f% interval on ${decimal(gate.samples ?? 0)} samples: ${shownValue(metric, interval.low)} to ${shownValue(metric, interval.high)})`
      : '';
    return `${metric.title} ${shownValue(metric, value)}${known}`;
  }
  const known = interval
    ? ` (${gate.starts} starts: ${milliseconds(interval.low)} to ${milliseconds(interval.high)})`
    : '';
  return `${milliseconds(value)} in ${kind === 'p50' ? 'half' : 'nine of ten'} of all calls${known}`;
}

/** The bound itself: `5 ms`, `400 kB`, `62.0 %`. */
function allowed({ kind, allowed: value }: RuntimeBound, metric: MetricInfo): string {
  if (kind === 'bytes') return bytes(value);
  return kind === 'metric' ? shownValue(metric, value) : milliseconds(value);
}

/** `. Layers that take most of it: conv (62 %), head (20 %)`; empty where none is named. */
export function layersOf({ kind, layers = [] }: RuntimeBound, metric: MetricInfo): string {
  if (layers.length === 0) return '';
  const told = layers.map(({ layer, cost }) => `${layer} (${costOf(kind, cost)})`).join(', ');
  const what = {
    p50: 'Layers that take most of it',
    p90: 'Layers that take most of it',
    bytes: 'Layers with most of them',
    metric:
      metric.name === 'accuracy'
        ? 'Cross-entropy that each layer adds in this precision'
        : 'What each layer costs in this precision',
  }[kind];
  return `. ${what}: ${told}`;
}

function costOf(kind: RuntimeBound['kind'], cost: number): string {
  if (kind === 'bytes') return bytes(cost);
  return kind === 'metric' ? cost.toPrecision(2) : percent(cost, 0);
}

function titleOf({ file }: Pick<RuntimeGate, 'file'>): string {
  return PRECISIONS[file].title;
}

function milliseconds(value: number): string {
  return `${compact(value)} ms`;
}
