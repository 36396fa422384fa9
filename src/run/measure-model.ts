import type { OnEvent } from '../events.ts';
import { fileOf, PRECISIONS, type Precision } from '../export/precisions.ts';
import type { Graph } from '../onnx/graph.ts';
import { readModelWithFiles } from '../onnx/node-files.ts';
import { writeModel } from '../onnx/write-model.ts';
import { existsSync } from '../platform/files.ts';
import { processorName } from '../platform/machine.ts';
import { requireNodeModule } from '../platform/node-modules.ts';
import { join, resolve } from '../platform/paths.ts';
import { readRegularFile } from '../regular-file.ts';
import { type Agreement, compareAnswers } from '../runtimes/compare-answers.ts';
import { type Computed, type FirstDifference, firstDifference } from '../runtimes/first-difference.ts';
import { runOn } from '../runtimes/index.ts';
import { madeCalls } from '../runtimes/made-inputs.ts';
import { type Feeds, type Percentiles, percentiles, type RuntimeName } from '../runtimes/measurement.ts';
import { requireThreads } from '../runtimes/require-threads.ts';
import { modelFiles } from '../teachers/model-folder.ts';
import { reopenRun } from './context/finished-run.ts';
import { dataAsInRun } from './data/kept-splits-file.ts';
import { answersOf, shippedCalls } from './measuring/shipped-calls.ts';
import { requireStudent } from './shipping/require-student.ts';
import { openTask } from './tasks/index.ts';

/** Samples of the larger calls. */
const ROWS = 32;
/** Test samples of which the answers of runtimes are compared. */
const COMPARED = 200;
const SECONDS = 2;
const MOST_SECONDS = 300;
/** Answers may differ by so much of the largest one before it is looked for where they begin to. */
const ALIKE = 1e-3;

export interface MeasureOptions {
  /** Where; the answers of those after the first are compared with the first's. */
  readonly on: readonly RuntimeName[];
  /** 1 where nothing is said. */
  readonly threads?: number;
  /** How long each kind of call is timed, in seconds (2). */
  readonly seconds?: number;
  /** When a runtime is ended that does not answer, in seconds (300). */
  readonly mostSeconds?: number;
  /** Numbers for symbolic sizes of a model of which no samples are known. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Folders outside of the recipe's that its paths may reach. */
  readonly allowPaths?: readonly string[];
  readonly onEvent?: OnEvent;
  readonly signal?: AbortSignal;
}

/** One file in one runtime. Times in milliseconds. */
export interface ModelMeasurement {
  readonly file: string;
  readonly on: RuntimeName;
  /** The runtime with its version and device. */
  readonly runtime: string;
  readonly bytes: { readonly raw: number; readonly gzip: number; readonly brotli: number };
  /** Until a started runtime has loaded the model, and its first call of one sample. */
  readonly cold: { readonly start: number; readonly load: number; readonly first: number };
  readonly one: Percentiles;
  /** Calls of 32 samples; absent for a model that takes a fixed number. */
  readonly many?: Percentiles & { readonly rows: number; readonly samplesPerSecond: number };
  /** The most memory that the runtime's process held, where that is told. */
  readonly peakBytes?: number;
}

/** The answers of one file in two runtimes. */
export interface ModelAgreement extends Agreement {
  readonly file: string;
  readonly on: readonly [RuntimeName, RuntimeName];
  /** Where answers differ by more than rounding: the first value that does. null where no inner value differs once all are read. */
  readonly first?: FirstDifference | null;
}

export interface MeasureResult {
  readonly processor: string;
  readonly threads: number;
  /** What the models were fed. */
  readonly inputs: string;
  readonly measurements: readonly ModelMeasurement[];
  readonly agreements: readonly ModelAgreement[];
  readonly warnings: readonly string[];
}

interface Calls {
  readonly title: string;
  readonly one: readonly Feeds[];
  readonly many: readonly Feeds[];
  readonly answered: readonly Feeds[];
}

/**
 * Times a model in the runtimes named: onnxruntime-node in a process of its own, or onnxruntime-web in a headless Chromium.
 * Of a run's folder the student's files are measured, with test samples; of an ONNX file or a model's folder, inputs are made.
 *
 * @throws LimbeckError `measure.no-runtime`, `measure.model`, `measure.sizes`, `measure.too-long`; `export.missing` and
 *   `export.kept-back` for a run without a student that ships; what reading the model throws
 * @example
 * const { measurements } = await measureModel('runs/glosses', { on: ['node', 'wasm'] });
 * console.log(measurements[0].one.p50);
 */
export async function measureModel(target: string, options: MeasureOptions): Promise<MeasureResult> {
  const path = resolve(target);
  const isRun = existsSync(join(path, 'recipe.resolved.yaml'));
  const files = isRun ? studentFiles(path) : [modelFiles(path).model];
  const threads = options.threads ?? 1;
  requireThreads(threads, '--threads');
  const graphs = files.map((file) => ({ file, ...readModelWithFiles(file) }));
  const calls = isRun ? await callsOfRun(path, graphs, options) : callsOf(graphs, options.sizes ?? {});
  const { seconds = SECONDS, mostSeconds = MOST_SECONDS, signal } = options;
  const limits = { mostSeconds, signal };
  const measurements: ModelMeasurement[] = [];
  const agreements: ModelAgreement[] = [];
  const warnings = new Set<string>();
  const total = graphs.length * options.on.length;
  for (const { file, graph, files: parts } of graphs) {
    const model = parts.length > 1 ? writeModel(graph) : readRegularFile(file);
    const bytes = packedSizes(model);
    let reference: readonly Feeds[] | undefined;
    for (const on of options.on) {
      signal?.throwIfAborted();
      const done = measurements.length;
      options.onEvent?.({
        type: 'progress',
        stage: 'measure',
        task: `timing on ${on}`,
        done,
        total,
        unit: 'measurements',
      });
      const answered = options.on.length > 1 ? calls.answered : [];
      const ran = await runOn(
        on,
        {
          model,
          threads,
          seconds,
          one: calls.one,
          many: calls.many,
          answered,
          outputs: answersOf(graph),
        },
        limits,
      );
      for (const warning of ran.warnings) warnings.add(`${on}: ${warning}`);
      const many = ran.many.length > 0 ? percentiles(ran.many) : undefined;
      measurements.push({
        file,
        on,
        runtime: ran.title,
        bytes,
        cold: { start: ran.startMs, load: ran.loadMs, first: ran.firstMs },
        one: percentiles(ran.one),
        ...(many && { many: { ...many, rows: ROWS, samplesPerSecond: (1000 * ROWS) / many.p50 } }),
        ...(ran.peakBytes !== undefined && { peakBytes: ran.peakBytes }),
      });
      if (!reference) reference = ran.answers;
      else
        agreements.push(
          ...(await agreementsOf(file, graph, [options.on[0] as RuntimeName, on], [reference, ran.answers])),
        );
    }
  }
  return {
    processor: processorName(),
    threads,
    inputs: calls.title,
    measurements,
    agreements,
    warnings: [...warnings],
  };

  async function agreementsOf(
    file: string,
    graph: Graph,
    on: readonly [RuntimeName, RuntimeName],
    [ours, others]: readonly [readonly Feeds[], readonly Feeds[]],
  ): Promise<ModelAgreement[]> {
    const found: ModelAgreement[] = [];
    for (const agreement of compareAnswers(ours, others)) {
      const { largestDifference, largestValue, worstCall } = agreement;
      const areAlike = largestDifference !== null && largestDifference <= ALIKE * largestValue;
      const feeds = calls.answered[worstCall] as Feeds;
      const first = areAlike
        ? undefined
        : ((await firstDifference(graph, feeds, answersOn(on, feeds))) ?? null);
      found.push({ file, on, ...agreement, ...(first !== undefined && { first }) });
    }
    return found;
  }

  /** The outputs of a model in two runtimes. */
  function answersOn(on: readonly [RuntimeName, RuntimeName], feeds: Feeds) {
    return async (model: Uint8Array): Promise<Computed> => {
      const asked = { model, threads: 1, seconds: 0, one: [], many: [], answered: [feeds], untimed: true };
      const [ours, others] = [await runOn(on[0], asked, limits), await runOn(on[1], asked, limits)];
      return [ours.answers[0] as Feeds, others.answers[0] as Feeds];
    };
  }
}

/** The files of a run's student. Throws LimbeckError `export.missing`, `export.kept-back` for a run without one that ships. */
function studentFiles(run: string): string[] {
  const files = (Object.keys(PRECISIONS) as Precision[]).map((precision) =>
    join(run, 'student', fileOf(precision)),
  );
  requireStudent(run, files[0] as string);
  return files.filter((file) => existsSync(file));
}

type ReadGraph = { readonly file: string; readonly graph: Graph };

async function callsOfRun(
  run: string,
  graphs: readonly ReadGraph[],
  { allowPaths, signal }: MeasureOptions,
): Promise<Calls> {
  const { recipe, options } = reopenRun(run);
  const task = await openTask({
    recipe,
    options: { ...options, ...(allowPaths && { allowPaths: [...allowPaths] }), signal },
  });
  const data = await dataAsInRun((kept) => task.prepareData({ ...(kept && { kept }) }), run, 'test');
  try {
    const { graph } = graphs[0] as ReadGraph;
    const { test } = data.dataset.splits;
    const callsOf = (rows: number, count?: number) => shippedCalls(data, test, graph, rows, count);
    return {
      title: `test samples of ${recipe.name}`,
      one: callsOf(1),
      many: callsOf(ROWS),
      answered: callsOf(1, Math.min(COMPARED, test.size)),
    };
  } finally {
    data.dataset.close();
  }
}

function callsOf(graphs: readonly ReadGraph[], sizes: Readonly<Record<string, number>>): Calls {
  const { graph } = graphs[0] as ReadGraph;
  const { one, many, assumed } = madeCalls(graph, sizes, ROWS);
  return {
    title: ['made inputs: random numbers from 0 to 1, random ids, masks of ones', ...assumed].join('; '),
    one,
    many,
    answered: one,
  };
}

/** What a download takes, packed as web servers pack. */
function packedSizes(model: Uint8Array): ModelMeasurement['bytes'] {
  const zlib = requireNodeModule('node:zlib');
  const quality = { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 };
  return {
    raw: model.byteLength,
    gzip: zlib.gzipSync(model).byteLength,
    brotli: zlib.brotliCompressSync(model, { params: quality }).byteLength,
  };
}
