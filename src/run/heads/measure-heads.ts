import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { Session } from '../../engine/engine.ts';
import type { Difference, Interval } from '../../metrics/interval.ts';
import { JackknifedMetric } from '../../metrics/jackknife.ts';
import { fetchesOf, OutputsMeasuring, reduced } from '../../metrics/measure-outputs.ts';
import type { Evaluation, Metric, MetricInfo } from '../../metrics/metric.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Head } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { measuredRows } from '../batches/measured-rows.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import { mainMetric } from './head-metrics.ts';

/** A model's answers to a split, measured batch by batch: all metrics of its heads, and the main one with its spread. */
export class HeadsMeasuring {
  readonly #heads: readonly Head[];
  readonly #all: OutputsMeasuring;
  readonly #main: JackknifedMetric;
  /** Kept: neighbours of thousands of vectors take seconds to find. */
  #values: Evaluation | undefined;

  constructor(heads: readonly Head[]) {
    const [main] = heads as [Head, ...Head[]];
    this.#heads = heads;
    // Both are given what is left of the answers: it is made once.
    this.#all = new OutputsMeasuring(heads.map(({ output, metrics }) => ({ output, metrics })));
    this.#main = new JackknifedMetric(
      main.metrics.find(({ name }) => name === main.target.selection) as Metric,
    );
  }

  add(answers: Readonly<Record<string, Tensor>>, batch: Batch): void {
    this.#values = undefined;
    const smaller = { ...answers };
    for (const head of this.#heads) smaller[head.output] = reduced(head, answers, batch);
    this.#all.add(smaller, batch);
    this.#main.add(smaller[(this.#heads[0] as Head).output] as Tensor, batch);
  }

  values(): Evaluation {
    this.#values ??= this.#all.values();
    return this.#values;
  }

  /** The value of the main metric. */
  get main(): number {
    return this.#main.value;
  }

  /** The 95 % interval of the main metric; infinite bounds where the samples are too few for one. */
  get mainInterval(): Interval {
    return this.#main.interval;
  }

  /** How much better this model is than another on the same samples (`gainOf`), with its interval. */
  gainOver(other: HeadsMeasuring): Difference {
    return asGain(mainMetric(this.#heads), this.#main.minus(other.#main), other.main);
  }

  /** The interval of the part of another model's main metric that this one keeps; undefined where there is none. */
  retention(other: HeadsMeasuring): Interval | undefined {
    const [part, whole] =
      mainMetric(this.#heads).better === 'higher' ? [this.#main, other.#main] : [other.#main, this.#main];
    return part.over(whole);
  }
}

/**
 * How much better a value is than another: their difference where more is better; where less is better, the part by which it
 * is less (0.1 for an error that is a tenth smaller).
 */
function asGain({ better }: MetricInfo, { difference, low, high }: Difference, other: number): Difference {
  if (better === 'higher') return { difference, low, high };
  const scale = Math.max(Math.abs(other), Number.EPSILON);
  return { difference: -difference / scale, low: -high / scale, high: -low / scale };
}

/** A value as a score: more is better, and what two scores differ by is what is gained or lost. */
export function scoreOf({ better }: MetricInfo, value: number, reference: number): number {
  return better === 'higher'
    ? value
    : 1 - (value - reference) / Math.max(Math.abs(reference), Number.EPSILON);
}

/**
 * Measures a model on a split. Throws LimbeckError `run.interrupted` between batches.
 *
 * @param most samples in a batch: fewer for a large model, whose hidden states of all of them are held at once
 */
export async function measureHeads(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  model: Graph | Session,
  heads: readonly Head[],
  split: Split,
  most?: number,
): Promise<HeadsMeasuring> {
  const own = 'nodes' in model ? await run.engine.load(writeModel(model)) : undefined;
  const session = own ?? (model as Session);
  try {
    const measuring = new HeadsMeasuring(heads);
    const fetches = fetchesOf(heads, session.outputNames);
    for (const batch of splitBatches(split, measuredRows(heads, split, most))) {
      run.checkInterrupted();
      measuring.add(await session.run(takenFeeds(session, batch.columns), fetches), batch);
    }
    return measuring;
  } finally {
    await own?.release();
  }
}
