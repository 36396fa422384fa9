import { plainLines } from '../data/text-files/byte-lines.ts';
import { textOf } from '../platform/bytes.ts';
import type { CurvePoint } from './report-data.ts';

/** A row of `metrics.jsonl`: flat, so that any tool plots it. */
export type MetricsRow = Record<string, number | string>;

/**
 * The rows of a `metrics.jsonl`, one at a time. A line that is no JSON object is left out and told to `onBroken`
 * (line number from 1): a killed run leaves its last line cut, and metrics are only for looking at.
 */
export async function* readMetricsLog(
  path: string,
  onBroken: (line: number) => void = () => {},
): AsyncGenerator<MetricsRow> {
  for await (const { number, bytes } of plainLines(path)) {
    const line = textOf(bytes);
    if (line.trim() === '') continue;
    const row = parseRow(line);
    if (row) yield row;
    else onBroken(number);
  }
}

function parseRow(line: string): MetricsRow | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const row: MetricsRow = {};
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry === 'number' || typeof entry === 'string') row[key] = entry;
  }
  return row;
}

/**
 * One stage's learning curve out of metrics rows. Read keys: `stage`, `step`, `seconds`, `loss` and `loss/TERM`,
 * `grad_norm` and `grad_norm/TERM`, `validation/accuracy`, `learning_rate`, `weight/TERM`, `cause/CAUSE`, `on_policy/NUMBER`, and `alpha/TERM`,
 * `beta/TERM`, `gamma/TERM`. Rows of other stages are left out; a row with a
 * step already seen replaces the earlier one (a resumed run repeats the steps since its last checkpoint).
 */
export async function readCurve(
  rows: AsyncIterable<MetricsRow> | Iterable<MetricsRow>,
  stage: string,
  maxPoints = 400,
): Promise<CurvePoint[]> {
  let points: CurvePoint[] = [];
  for await (const row of rows) {
    if (row.stage !== stage || typeof row.step !== 'number') continue;
    const point = toPoint(row, row.step);
    while (points.length > 0 && points[points.length - 1]!.step > point.step) points.pop();
    const last = points[points.length - 1];
    if (last && last.step === point.step) points[points.length - 1] = merge(last, point);
    else points.push(point);
    if (points.length >= 2 * maxPoints) points = thin(points);
  }
  while (points.length > maxPoints) points = thin(points);
  return points;
}

/** A training row and the evaluation after it may come as two rows of the same step. */
function merge(before: CurvePoint, after: CurvePoint): CurvePoint {
  return {
    ...before,
    ...after,
    seconds: Math.max(before.seconds, after.seconds),
    losses: { ...before.losses, ...after.losses },
    gradientNorms: { ...before.gradientNorms, ...after.gradientNorms },
  };
}

/** The records of a point, by how their keys begin in a row; `whole` names keep that beginning. */
const RECORDS = [
  { prefix: 'loss/', name: 'losses' },
  { prefix: 'grad_norm/', name: 'gradientNorms' },
  { prefix: 'weight/', name: 'weights' },
  { prefix: 'cause/', name: 'causes' },
  { prefix: 'on_policy/', name: 'written' },
  { prefix: 'alpha/', name: 'coefficients', whole: true },
  { prefix: 'beta/', name: 'coefficients', whole: true },
  { prefix: 'gamma/', name: 'coefficients', whole: true },
] as const satisfies readonly { prefix: string; name: keyof CurvePoint; whole?: true }[];

function toPoint(row: MetricsRow, step: number): CurvePoint {
  const point: CurvePoint = { step, seconds: 0, losses: {}, gradientNorms: {} };
  if (typeof row.training_stage === 'string') point.trainingStage = row.training_stage;
  for (const [key, value] of Object.entries(row)) {
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    if (key === 'seconds') point.seconds = value;
    else if (key === 'validation/accuracy') point.validationAccuracy = value;
    else if (key === 'learning_rate') point.learningRate = value;
    else if (key === 'loss') point.losses.total = value;
    else if (key === 'grad_norm') point.gradientNorms.total = value;
    else {
      const record = RECORDS.find(({ prefix }) => key.startsWith(prefix));
      if (!record) continue;
      const name = 'whole' in record ? key : key.slice(record.prefix.length);
      point[record.name] = { ...point[record.name], [name]: value };
    }
  }
  return point;
}

/** Drops every second point: first of those without an evaluation, else of all; never the last. */
function thin(points: readonly CurvePoint[]): CurvePoint[] {
  const halve = (keep: (point: CurvePoint) => boolean) =>
    points.filter((point, index) => index % 2 === 0 || index === points.length - 1 || keep(point));
  const fewer = halve((point) => point.validationAccuracy !== undefined);
  return fewer.length < points.length ? fewer : halve(() => false);
}

/** One metric on the validation split over a stage's training, by its name in an evaluation (`macroF1`, `tags/spanF1`). */
export async function readValidation(
  rows: AsyncIterable<MetricsRow> | Iterable<MetricsRow>,
  stage: string,
  metric: string,
): Promise<{ step: number; seconds: number; value: number }[]> {
  const key = `validation/${metric.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()}`;
  const points: { step: number; seconds: number; value: number }[] = [];
  for await (const row of rows) {
    const value = row[key];
    if (row.stage !== stage || typeof row.step !== 'number' || typeof value !== 'number') continue;
    while (points.length > 0 && (points.at(-1)?.step as number) >= row.step) points.pop();
    points.push({ step: row.step, seconds: Number(row.seconds) || 0, value });
  }
  return points;
}
