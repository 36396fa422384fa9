import type { Session } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { TrainingBatch } from '../batch-source.ts';
import { type CarriedTensor, carriedSpecs } from '../carried.ts';
import { type CompiledGradients, compileGradients, gradientName, ROWS, SHARE } from '../compile-gradients.ts';
import { NEXT } from '../compile-step.ts';
import { compileUpdate } from '../compile-update.ts';
import { overwritable } from '../overwriting.ts';
import { SessionsByVariant } from '../sessions-by-variant.ts';
import { namesAfter, SwapBuffers } from '../swap-buffers.ts';
import { partFeeds, partSizes } from './batch-parts.ts';
import { type RunnerOptions, STEP_SESSION, type StepResult, type StepRunner } from './step-runner.ts';

type Feeds = Readonly<Record<string, Tensor>>;

/** What a part has of each term and how many rows, by name. */
type Counts = Readonly<Record<string, number>>;

/**
 * Each step goes over its batch in several parts and sums their gradients before it updates anything: the same step, but
 * for rounding, in a fraction of the memory for activations. Batch normalisations take the statistics of each part, and
 * losses that compare samples see those of a part.
 */
export class AccumulatingSteps implements StepRunner {
  readonly carried: readonly CarriedTensor[];
  readonly overwritten: ReadonlySet<string>;
  readonly #parts: number;
  readonly #compiled: ReadonlyMap<string, CompiledGradients>;
  readonly #gradients: SessionsByVariant;
  readonly #counts: SessionsByVariant;
  readonly #update: SessionsByVariant;
  /** The sums of the gradients, and the statistics on their way through the parts. */
  readonly #sums: SwapBuffers;
  readonly #statistics: readonly string[];

  constructor(options: RunnerOptions, parts: number) {
    const { engine, optimizer, maxGradNorm } = options;
    this.#parts = parts;
    this.#compiled = new Map(
      Object.entries(options.variants).map(([variant, sizes]) => [
        variant,
        compileGradients({ ...options, sizes: partSizes(sizes, parts) }),
      ]),
    );
    const [first] = this.#compiled.values() as Iterable<CompiledGradients>;
    const update = compileUpdate(first.carried, {
      optimizer,
      ...(maxGradNorm === undefined ? {} : { maxGradNorm }),
    });
    this.carried = [...first.carried, ...update.carried];
    const sums = carriedSpecs(first.carried, 'parameter', 'auxiliary').map(
      (spec): CarriedTensor => ({ spec: { ...spec, name: gradientName(spec.name) }, role: 'state' }),
    );
    const statistics = first.carried.filter(({ role }) => role === 'statistic');
    const overwrite = (graphs: readonly Graph[], tensors: readonly CarriedTensor[]) => {
      const names = carriedSpecs(tensors).map(({ name }) => name);
      return options.overwrites ? overwritable(graphs, names, NEXT) : new Set<string>();
    };
    this.overwritten = overwrite([update.graph], this.carried);
    const graphs = [...this.#compiled.values()].map(({ graph }) => graph);
    const sumsOverwritten = overwrite(graphs, sums);
    this.#sums = new SwapBuffers([...sums, ...statistics], undefined, sumsOverwritten);
    this.#statistics = statistics.map(({ spec }) => spec.name);
    const load = (graph: Graph, title: string, over: ReadonlySet<string> = new Set()) =>
      engine.load(writeModel(graph), { title, ...STEP_SESSION, overwrites: namesAfter(over) });
    this.#gradients = new SessionsByVariant((variant) =>
      load(this.#of(variant).graph, 'the training step', sumsOverwritten),
    );
    this.#counts = new SessionsByVariant((variant) =>
      load(this.#of(variant).counts as CompiledGradients['graph'], 'the counts of a training step'),
    );
    this.#update = new SessionsByVariant(() =>
      load(update.graph, 'the update of a training step', this.overwritten),
    );
  }

  async run(...[batch, settings, buffers]: Parameters<StepRunner['run']>): Promise<StepResult> {
    const compiled = this.#of(batch.variant);
    const parts = Array.from({ length: this.#parts }, (_, part) =>
      partFeeds({ ...batch.feeds, ...settings }, compiled.batchInputs, part),
    );
    const counts = await this.#countsOf(batch.variant, parts, buffers.feeds);
    const total = sumOf(counts);
    this.#sums.clear();
    this.#sums.fill(buffers.contents(this.#statistics));
    const session = await this.#gradients.get(batch.variant);
    const wanted = [...compiled.metrics, ...compiled.rowOutputs];
    const values: Record<string, number> = {};
    const told: Feeds[] = [];
    for (const [part, feeds] of parts.entries()) {
      const results = await session.run(
        takenBy(session, {
          ...buffers.feeds,
          ...feeds,
          ...this.#sums.feeds,
          ...scalars(total),
          [SHARE]: float32([shareOf(counts[part] as Counts, total, this.#parts)], []),
        }),
        { ...this.#sums.fetches, ...Object.fromEntries(wanted.map((name) => [name, null])) },
      );
      this.#sums.swap();
      for (const name of compiled.metrics)
        values[name] = (values[name] ?? 0) + Number((results[name] as Tensor).data[0]);
      told.push(results);
    }
    const norm = await this.#updateFrom(settings, buffers);
    return { values: { ...values, grad_norm: norm }, rows: joinedRows(told, compiled.rowOutputs, batch) };
  }

  async release(): Promise<void> {
    for (const sessions of [this.#gradients, this.#counts, this.#update]) await sessions.release();
  }

  async #countsOf(variant: string, parts: readonly Feeds[], carried: Feeds): Promise<Counts[]> {
    const { counts, countNames } = this.#of(variant);
    if (!counts) return parts.map(() => ({}));
    const session = await this.#counts.get(variant);
    const found: Counts[] = [];
    for (const feeds of parts) {
      const results = await session.run(takenBy(session, { ...carried, ...feeds }));
      found.push(
        Object.fromEntries(countNames.map((name) => [name, Number((results[name] as Tensor).data[0])])),
      );
    }
    return found;
  }

  /** Updates by the summed gradients, and hands the statistics on; returns the gradient's norm. */
  async #updateFrom(settings: Feeds, buffers: SwapBuffers): Promise<number> {
    const session = await this.#update.get('');
    const { fetches } = buffers;
    const updated = Object.fromEntries(session.outputNames.map((name) => [name, fetches[name] ?? null]));
    const { grad_norm: norm } = await session.run(
      takenBy(session, { ...buffers.feeds, ...settings, ...this.#sums.feeds }),
      updated,
    );
    for (const name of this.#statistics) {
      const into = fetches[name + NEXT]?.data as Float32Array;
      into.set(this.#sums.feeds[name]?.data as Float32Array);
    }
    return Number((norm as Tensor).data[0]);
  }

  #of(variant: string): CompiledGradients {
    return this.#compiled.get(variant) as CompiledGradients;
  }
}

/** What a session takes of what there is. */
function takenBy({ inputNames }: Session, feeds: Feeds): Record<string, Tensor> {
  return Object.fromEntries(inputNames.flatMap((name) => (feeds[name] ? [[name, feeds[name]]] : [])));
}

function sumOf(counts: readonly Counts[]): Counts {
  const sums: Record<string, number> = {};
  for (const part of counts)
    for (const [name, count] of Object.entries(part)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

/** By its rows; parts without any are alike. */
function shareOf(part: Counts, total: Counts, parts: number): number {
  const rows = total[ROWS];
  return rows ? (part[ROWS] as number) / rows : 1 / parts;
}

function scalars(counts: Counts): Feeds {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, float32([count], [])]));
}

/** The rows of all parts, one after another, without those that only fill the batch. */
function joinedRows(
  parts: readonly Feeds[],
  outputs: readonly string[],
  batch: TrainingBatch,
): Record<string, Float32Array> {
  return Object.fromEntries(
    outputs.map((name) => {
      const values = parts.flatMap((results) => Array.from((results[name] as Tensor).data as Float32Array));
      return [name.slice('rows/'.length), Float32Array.from(values.slice(0, batch.rows))];
    }),
  );
}
