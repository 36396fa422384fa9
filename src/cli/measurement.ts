import { basename } from 'node:path';
import type { MeasureResult, ModelAgreement } from '../run/measure-model.ts';
import { table } from './table.ts';

/** What was measured, as tables for a terminal. */
export function drawMeasurement({
  processor,
  threads,
  inputs,
  measurements,
  agreements,
  warnings,
}: MeasureResult): string {
  const rows = measurements.map(({ file, on, one, many, cold, bytes, peakBytes }) => [
    basename(file),
    on,
    ...[one.p50, one.p90, one.p99].map(milliseconds),
    many ? `${Math.round(many.samplesPerSecond)}` : '-',
    milliseconds(cold.load),
    milliseconds(cold.first),
    kilobytes(bytes.raw),
    kilobytes(bytes.brotli),
    peakBytes === undefined ? '-' : `${Math.round(peakBytes / 2 ** 20)} MB`,
  ]);
  const head = [
    'model',
    'on',
    'p50 ms',
    'p90',
    'p99',
    'samples/s',
    'load ms',
    'first ms',
    'file',
    'brotli',
    'memory',
  ];
  const runtimes = [...new Set(measurements.map(({ runtime }) => runtime))];
  const threadCount = threads === 1 ? '1 thread' : `${threads} threads`;
  return [
    table([head, ...rows], [0, 1]),
    '\n',
    `One sample a call; samples/s in calls of ${measurements[0]?.many?.rows ?? 1}. ${threadCount} of ${processor}.\n`,
    `Fed with ${inputs}.\n`,
    ...runtimes.map((runtime) => `${runtime}\n`),
    ...(agreements.length > 0
      ? ['\n', ...agreements.map((agreement) => `${agreementTold(agreement)}\n`)]
      : []),
    ...warnings.map((warning) => `Warning: ${warning}.\n`),
  ].join('');
}

function agreementTold(agreement: ModelAgreement): string {
  const { file, on, output, calls, sameLargest, largestDifference, incomparable, largestValue, first } =
    agreement;
  const same =
    sameLargest === undefined
      ? ''
      : `the same answer in ${(100 * sameLargest).toFixed(1)} % of ${calls} calls, `;
  const by =
    largestDifference === null
      ? APART[incomparable ?? 'not-finite']
      : `largest difference ${digits(largestDifference)} of numbers up to ${digits(largestValue)}`;
  const told = `${basename(file)}, ${output}, ${on[0]} and ${on[1]}: ${same}${by}`;
  if (first === undefined) return told;
  if (first === null) return `${told}. No inner value differs once all are read: a fused operator does.`;
  return `${told}. First at '${first.value}' (${first.operator}${first.node ? ` ${first.node}` : ''}): ${firstBy(first)}.`;
}

/** What is said where no number tells how far apart answers are. */
const APART = {
  'other-sizes': 'the answers have other sizes',
  'not-finite': 'one gives NaN or infinity where the other does not',
} as const;

function firstBy({ difference, incomparable, largestValue }: NonNullable<ModelAgreement['first']>): string {
  if (difference === null) return APART[incomparable ?? 'not-finite'];
  return `${digits(difference)} of numbers up to ${digits(largestValue)}`;
}

function milliseconds(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
}

function digits(value: number): string {
  return value === 0 ? '0' : value.toPrecision(2);
}
