import type { Engine } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { findValue, type Graph, type Value } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { Histogram } from './histogram.ts';
import { type ElementsPerPosition, maskLayout } from './mask-layout.ts';
import type { ObservedRange, Ranges } from './range.ts';

export type Feeds = Readonly<Record<string, Tensor>>;

export interface CalibrateOptions {
  /**
   * The feed that says which positions count (1, not 0), [B, T] say. It is applied to every value that lies by them
   * (`maskLayout`): what a network makes of padding is not to decide the ranges.
   */
  mask?: string;
}

/** Bytes of values that are held at once: a network for large images gives gigabytes of them. */
const HELD_BYTES = 256 * 2 ** 20;
/** So many values are fetched before their size is known. */
const FIRST_FETCH = 4;

/**
 * Runs batches through the graph and keeps, for each named value, minimum, maximum and a histogram.
 *
 * The values are fetched whole and counted here, rather than reduced inside the graph: percentiles and the mask need
 * every element, and ORT's ReduceMax may lose a NaN. (About 3 ns an element.)
 *
 * @param engine where to run: `createNodeEngine()`.
 * @param batches feeds for the graph's inputs; a few hundred samples are enough.
 * @throws LimbeckError `export.calibration` when there is no batch, a value is NaN or infinite, or all is masked.
 */
export async function collectRanges(
  graph: Graph,
  valueNames: readonly string[],
  engine: Pick<Engine, 'load'>,
  batches: Iterable<Feeds> | AsyncIterable<Feeds>,
  options: CalibrateOptions = {},
): Promise<Ranges> {
  const observers = new Map(valueNames.map((name) => [name, new RangeObserver(valueCalled(graph, name))]));
  await observeValues(graph, observers, engine, batches, options);
  return new Map([...observers].map(([name, observer]) => [name, observer.range()]));
}

/** What looks at one value of a graph, batch by batch. */
export interface ValueObserver {
  /** The elements of a batch that count: spans of its flat data. Throws LimbeckError `export.calibration` for what it cannot take. */
  add(content: Tensor, spans: Iterable<readonly [start: number, end: number]>, batch: number): void;
}

/**
 * Runs batches through the graph and shows each named value to its observer, without what the mask leaves out.
 *
 * @throws LimbeckError `export.calibration` when there is no batch
 */
export async function observeValues(
  graph: Graph,
  observers: ReadonlyMap<string, ValueObserver>,
  engine: Pick<Engine, 'load'>,
  batches: Iterable<Feeds> | AsyncIterable<Feeds>,
  options: CalibrateOptions = {},
): Promise<void> {
  const names = [...observers.keys()];
  if (names.length === 0) return;
  const values = names.map((name) => valueCalled(graph, name));
  const layouts = new Map<string, ElementsPerPosition>(
    options.mask === undefined
      ? []
      : values.map((value) => [value.name, maskLayout(graph, options.mask as string, value)]),
  );
  const given = new Set(graph.inputs.map((input) => input.name));
  const fetched = names.filter((name) => !given.has(name));
  const outputs = values.filter((value) => !given.has(value.name));
  const session =
    outputs.length > 0
      ? await engine.load(writeModel({ ...graph, outputs }), { title: 'the model under calibration' })
      : undefined;
  let count = 0;
  let atOnce = FIRST_FETCH;
  try {
    for await (const feeds of batches) {
      const mask = options.mask === undefined ? undefined : feeds[options.mask];
      const observe = (results: Readonly<Record<string, Tensor>>) => {
        for (const [name, content] of Object.entries(results))
          observers.get(name)?.add(content, countedSpans(content, mask, layouts.get(name)), count);
      };
      observe(Object.fromEntries(Object.entries(feeds).filter(([name]) => observers.has(name))));
      for (let at = 0; session && at < fetched.length; ) {
        const some = fetched.slice(at, at + atOnce);
        const results = await session.run(feeds, Object.fromEntries(some.map((name) => [name, null])));
        observe(results);
        const bytes = Object.values(results).reduce((sum, { data }) => sum + 4 * data.length, 0);
        at += some.length;
        atOnce = Math.max(1, Math.floor((HELD_BYTES / Math.max(1, bytes)) * some.length));
      }
      count++;
    }
  } finally {
    await session?.release();
  }
  if (count === 0) {
    throw new LimbeckError('export.calibration', 'there is no data to calibrate int8 with', {
      remedy: 'Give at least one batch of training samples.',
    });
  }
}

/** The parts of a value's flat data that the mask counts; all of it where it has another layout. */
function* countedSpans(
  { data, dims }: Tensor,
  mask: Tensor | undefined,
  layout: ElementsPerPosition | undefined,
): Generator<[number, number]> {
  const width = mask && layout?.(mask.dims, dims);
  if (!mask || !width) yield [0, data.length];
  else for (const [from, to] of runsOfOnes(mask)) yield [from * width, to * width];
}

function valueCalled(graph: Graph, name: string): Value {
  const value = findValue(graph, name);
  if (!value) throw new Error(`the graph has no value called '${name}'`);
  if (value.type !== undefined && value.type !== 'float32') {
    throw new Error(`'${name}' is ${value.type}; only float32 values have a range to calibrate`);
  }
  return value;
}

/** Gathers the range of one value. */
class RangeObserver implements ValueObserver {
  readonly #value: Value;
  readonly #histogram = new Histogram();

  constructor(value: Value) {
    this.#value = value;
  }

  add({ data, dims }: Tensor, spans: Iterable<readonly [number, number]>, batch: number): void {
    const numbers = data as Float32Array;
    for (const [from, to] of spans) {
      const broken = this.#histogram.add(numbers, from, to);
      if (broken >= 0) throw notFinite(this.#value, numbers[broken], batch, broken, dims);
    }
  }

  range(): ObservedRange {
    const histogram = this.#histogram;
    if (histogram.count === 0) {
      throw new LimbeckError('export.calibration', `no element of '${this.#value.name}' was unmasked`, {
        remedy: 'Calibrate with samples that have at least one token.',
      });
    }
    return { min: histogram.min, max: histogram.max, histogram };
  }
}

/** [start, end) of each run of ones. */
function* runsOfOnes(mask: Tensor): Generator<[number, number]> {
  const ones = mask.data as ArrayLike<number | bigint>;
  let start = -1;
  for (let i = 0; i <= ones.length; i++) {
    const one = i < ones.length && Number(ones[i]) !== 0;
    if (one && start < 0) start = i;
    if (!one && start >= 0) {
      yield [start, i];
      start = -1;
    }
  }
}

function notFinite(
  value: Value,
  found: number,
  batch: number,
  position: number,
  dims: readonly number[],
): LimbeckError {
  return new LimbeckError('export.calibration', `'${value.name}' became ${found} during calibration`, {
    where: `batch ${batch}, element ${position} of [${dims.join(', ')}]`,
    remedy: 'The f32 model is broken on this sample: check its weights and inputs before quantising it.',
  });
}
