import { LimbeckError } from '../../errors.ts';
import { modelBytes } from '../../export/package-folder.ts';
import { fileOf, PRECISIONS, type Precision } from '../../export/precisions.ts';
import { dropVerdict, type Interval } from '../../metrics/interval.ts';
import { readModelFile, readModelWithFiles } from '../../onnx/node-files.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { type GatedRuntime, gatedRuntimes } from '../../recipe/gate.ts';
import { readRegularFile } from '../../regular-file.ts';
import { finite } from '../../report/result.ts';
import type { RuntimeBound, RuntimeGate } from '../../report/runtime-gates.ts';
import { unclearRuntime } from '../../report/runtime-sentences.ts';
import { BOUND_KINDS, type BoundKind } from '../../runtimes/bounds.ts';
import type { Head } from '../../targets/head.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { mainMetric } from '../heads/head-metrics.ts';
import { worstLayers } from '../shipping/gate.ts';
import { networkFile, type Shipped } from '../shipping/shipped.ts';
import { heaviestLayers, slowestLayers } from './costly-layers.ts';
import { answersInRuntime, type MeasuredFile, STARTS, timeInRuntime } from './measure-runtime.ts';

/** What was measured for a bound: its value, and what that is known to. */
interface Measured {
  readonly value: number;
  readonly interval?: Interval;
}

/** What is said of a file in a runtime: values by kind, and how they came about. */
type Told = Pick<RuntimeGate, 'runtime' | 'starts' | 'calls' | 'samples'> & {
  readonly values: ReadonlyMap<BoundKind, Measured>;
};

type Gated = Pick<Shipped, 'student' | 'float32Layers' | 'fourBitLayers' | 'further' | 'exits'>;

/**
 * Measures the student's files, reloaded from disk, in every runtime that the recipe bounds. A bound that lies within what a value
 * is known to lets the student pass, with a warning. Of one that is exceeded the layers are named that cost most.
 *
 * @param heads as they are read of the student
 * @param ships the precisions that do so far; bounds of a file that was kept back are not measured
 */
export async function measureInRuntimes(
  run: RunContext,
  data: TaskData,
  shipped: Gated,
  { heads, ships }: { readonly heads: readonly Head[]; readonly ships: ReadonlySet<Precision> },
): Promise<RuntimeGate[]> {
  const gates: RuntimeGate[] = [];
  for (const runtime of gatedRuntimes(run.recipe)) {
    const { on, file } = runtime;
    if (!ships.has(file)) {
      run.warn(
        `export.gate.${on} bounds the file in ${PRECISIONS[file].title}, which was kept back: it was not measured there`,
      );
      continue;
    }
    gates.push(await gateOf(run, data, { shipped, heads, runtime }));
  }
  return gates;
}

interface GateInputs {
  readonly shipped: Gated;
  readonly heads: readonly Head[];
  readonly runtime: GatedRuntime;
}

async function gateOf(run: RunContext, data: TaskData, inputs: GateInputs): Promise<RuntimeGate> {
  const { runtime } = inputs;
  const { on, file, threads, bounds: allowed } = runtime;
  const path = run.folder.file('student', fileOf(file));
  const { graph, files } = readModelWithFiles(path);
  const measured = { graph, model: files.length > 1 ? writeModel(graph) : readRegularFile(path) };
  const gate = { on, file, threads };
  let told: Told;
  try {
    told = await measure(run, data, inputs, { ...measured, bytes: modelBytes(path) });
  } catch (error) {
    if (!isOfModel(error)) throw error;
    return { ...gate, problem: error.message, bounds: [], passed: false };
  }
  const { values, ...how } = told;
  const bounds: RuntimeBound[] = [];
  const metric = mainMetric(data.heads);
  for (const kind of BOUND_KINDS) {
    const [limit, own] = [allowed[kind], values.get(kind)];
    if (limit === undefined || !own) continue;
    const better = kind === 'metric' ? metric.better : 'lower';
    const verdict = verdictOf(own, limit, better);
    const { interval } = own;
    const layers = verdict === 'beyond' ? await layersOf(run, data, inputs, kind, measured) : [];
    const isKnown = interval && Number.isFinite(interval.low) && Number.isFinite(interval.high);
    bounds.push({
      kind,
      allowed: limit,
      value: finite(own.value),
      ...(isKnown && { interval: { low: interval.low, high: interval.high } }),
      verdict,
      ...(layers.length > 0 && { layers }),
    });
  }
  const result: RuntimeGate = {
    ...gate,
    ...how,
    bounds,
    passed: bounds.every(({ verdict }) => verdict !== 'beyond'),
  };
  for (const bound of bounds)
    if (bound.verdict === 'unclear') run.warn(unclearRuntime(result, bound, metric));
  return result;
}

/** Measures what is bounded, and nothing else; a file that only its size bounds is run once, so that it is known to run. */
async function measure(
  run: RunContext,
  data: TaskData,
  { heads, runtime }: GateInputs,
  file: MeasuredFile & { readonly bytes: number },
): Promise<Told> {
  const { bounds } = runtime;
  const values = new Map<BoundKind, Measured>([['bytes', { value: file.bytes }]]);
  const isTimed = bounds.p50 !== undefined || bounds.p90 !== undefined;
  const times = isTimed ? await timeInRuntime(run, data, runtime, file) : undefined;
  if (times) {
    values.set('p50', ofStarts(times.p50));
    values.set('p90', ofStarts(times.p90));
  }
  const isAsked = bounds.metric !== undefined || !isTimed;
  const quality = isAsked ? await answersInRuntime(run, data, heads, runtime, file) : undefined;
  if (quality) values.set('metric', quality);
  const runtimeTitle = (times ?? quality)?.last.title;
  return {
    values,
    ...(runtimeTitle !== undefined && { runtime: runtimeTitle }),
    ...(times && { starts: STARTS, calls: times.calls }),
    ...(quality && { samples: quality.samples }),
  };
}

/** The middle of what several starts gave, and the least and the largest. */
function ofStarts(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, value, high] = [0, sorted.length >> 1, sorted.length - 1].map((i) => sorted[i] as number) as [
    number,
    number,
    number,
  ];
  return { value, interval: { low, high } };
}

/** Whether a value keeps to a bound: `unclear` where that lies within what the value is known to. */
export function verdictOf(
  { value, interval = { low: value, high: value } }: Measured,
  allowed: number,
  better: 'higher' | 'lower',
): RuntimeBound['verdict'] {
  // No answer at all is none that reaches anything.
  if (Number.isNaN(value)) return 'beyond';
  return better === 'lower'
    ? dropVerdict(interval, allowed)
    : dropVerdict({ low: -interval.high, high: -interval.low }, -allowed);
}

async function layersOf(
  run: RunContext,
  data: TaskData,
  { shipped, runtime }: GateInputs,
  kind: BoundKind,
  file: MeasuredFile,
): Promise<NonNullable<RuntimeBound['layers']>> {
  if (kind === 'bytes') return heaviestLayers(file.graph);
  if (kind !== 'metric') return slowestLayers(run, data, runtime, file, readModelFile(networkFile(shipped)));
  const precision = runtime.file;
  // What float32 answers too little, no single layer does.
  if (precision === 'f32') return [];
  const own = precision === 'int8' ? shipped : shipped.further.find((one) => one.precision === precision);
  const smaller = {
    precision,
    float32Layers: own?.float32Layers ?? [],
    ...(precision === 'int8' && { fourBitLayers: shipped.fourBitLayers }),
  };
  return (await worstLayers(run, data, shipped, smaller)).map(({ layer, loss }) => ({
    layer,
    cost: loss,
  }));
}

/** Whether a runtime is there and cannot run the file, or does not come to an end with it. */
function isOfModel(error: unknown): error is LimbeckError {
  return error instanceof LimbeckError && /^measure\.(model|too-long)$/.test(error.code);
}
