import type { Batch } from '../../data/batch.ts';
import { sequentialBatches } from '../../data/batches/batch-order.ts';
import type { Split } from '../../data/split.ts';
import { accuracyInterval, type Interval } from '../../metrics/interval.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { GatedRuntime } from '../../recipe/gate.ts';
import { runOn } from '../../runtimes/index.ts';
import { type Feeds, percentiles, type Ran } from '../../runtimes/measurement.ts';
import type { Head } from '../../targets/head.ts';
import { causalBytes, measuredRows } from '../batches/measured-rows.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { HeadsMeasuring } from '../heads/measure-heads.ts';
import { SPEED_SECONDS } from '../measuring/measure-speed.ts';
import { shippedCalls, shippedFeeds } from '../measuring/shipped-calls.ts';

/**
 * How often a runtime is started anew to be timed. The least and the largest of five medians hold the true one in 94 of 100
 * repetitions (1 - 2 / 2^5), whatever their distribution.
 */
export const STARTS = 5;
/** When a runtime that does not answer is ended, in seconds, beyond the time for which calls are timed. */
const MOST_SECONDS = 300;
/** Samples of a call of which the answers are wanted. */
const ROWS = 32;
/** What goes to a runtime and back at once, and in all, in bytes: of a page it is text. */
const MOST_SENT = 2 ** 26;
const MOST_SENT_IN_ALL = 2 ** 28;

type Run = Pick<RunContext, 'options' | 'emit' | 'checkInterrupted'>;

/** A file that is measured in a runtime. */
export interface MeasuredFile {
  /** In one piece. */
  readonly model: Uint8Array;
  readonly graph: Graph;
}

/** Percentiles of the time of one sample's call in milliseconds, one of each start. */
export interface RuntimeTimes {
  readonly p50: readonly number[];
  readonly p90: readonly number[];
  /** Of all starts. */
  readonly calls: number;
  readonly last: Ran;
}

/** Times a file in a runtime that is started anew each time, with samples from all over the test split. */
export async function timeInRuntime(
  run: Run,
  data: TaskData,
  { on, threads }: Pick<GatedRuntime, 'on' | 'threads'>,
  { model, graph }: MeasuredFile,
): Promise<RuntimeTimes> {
  const seconds = run.options.timingSeconds ?? SPEED_SECONDS;
  const one = shippedCalls(data, data.dataset.splits.test, graph, 1);
  const asked = { model, threads, seconds, one, many: [], answered: [] };
  const limits = { mostSeconds: MOST_SECONDS + 2 * seconds, signal: run.options.signal };
  const rans: Ran[] = [];
  while (rans.length < STARTS) {
    run.checkInterrupted();
    const done = rans.length;
    run.emit({
      type: 'progress',
      stage: 'evaluate',
      task: `timing on ${on}`,
      done,
      total: STARTS,
      unit: 'starts',
    });
    rans.push(await runOn(on, asked, limits));
  }
  const own = rans.map((ran) => percentiles(ran.one));
  return {
    p50: own.map(({ p50 }) => p50),
    p90: own.map(({ p90 }) => p90),
    calls: own.reduce((sum, { calls }) => sum + calls, 0),
    last: rans.at(-1) as Ran,
  };
}

/** What a file's answers in a runtime are worth. */
export interface RuntimeQuality {
  /** By the main metric, with its 95 % interval; no bounds where the samples are too few for one. */
  readonly value: number;
  readonly interval: Interval;
  readonly samples: number;
  readonly last: Ran;
}

/**
 * Measures what a file answers in a runtime to the test split: to all of it, or to batches from all over it where its inputs
 * and what comes back would be more than 256 MB.
 *
 * @param heads as they are read of the student
 */
export async function answersInRuntime(
  run: Run,
  data: TaskData,
  heads: readonly Head[],
  { on, threads }: Pick<GatedRuntime, 'on' | 'threads'>,
  { model, graph }: MeasuredFile,
): Promise<RuntimeQuality> {
  const { test } = data.dataset.splits;
  const feedsOf = shippedFeeds(graph);
  const measuring = new HeadsMeasuring(heads);
  const rows = measuredRows(heads, test, ROWS);
  const answerBytes = rows * causalBytes(heads, test);
  const bytesOf = (batch: Batch) => answerBytes + sizeOf(feedsOf(batch.columns));
  let [samples, sent] = [0, 0];
  let waiting: Batch[] = [];
  let last: Ran | undefined;
  for (const batch of spreadBatches(test, rows, bytesOf)) {
    waiting.push(batch);
    sent += bytesOf(batch);
    if (sent >= MOST_SENT) await ask();
  }
  if (waiting.length > 0) await ask();
  const value = measuring.main;
  const interval = isOneClass(heads)
    ? accuracyInterval(Math.round(value * samples), samples)
    : measuring.mainInterval;
  return { value, interval, samples, last: last as Ran };

  async function ask(): Promise<void> {
    run.checkInterrupted();
    const task = `answering on ${on}`;
    const { unit } = data.task;
    run.emit({ type: 'progress', stage: 'evaluate', task, done: samples, total: test.size, unit });
    const answered = waiting.map(({ columns }) => feedsOf(columns));
    const outputs = heads.map(({ output }) => output);
    const asked = { model, threads, seconds: 0, one: [], many: [], answered, outputs, untimed: true };
    last = await runOn(on, asked, { mostSeconds: MOST_SECONDS, signal: run.options.signal });
    for (const [i, batch] of waiting.entries()) {
      measuring.add(last.answers[i] as Feeds, batch);
      samples += batch.filled;
    }
    [waiting, sent] = [[], 0];
  }
}

/** The batches of a split, or evenly spread ones where they would be too much to send. */
function* spreadBatches(split: Split, rows: number, bytesOf: (batch: Batch) => number): Generator<Batch> {
  const plans = [...sequentialBatches(split, rows)];
  let step = 1;
  for (let i = 0; i < plans.length; i += step) {
    const { bucket, indices } = plans[i] as (typeof plans)[number];
    const batch = split.readBatch(bucket, indices, rows);
    if (i === 0) step = Math.max(1, Math.ceil((plans.length * bytesOf(batch)) / MOST_SENT_IN_ALL));
    yield batch;
  }
}

function sizeOf(feeds: Feeds): number {
  return Object.values(feeds).reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);
}
