import { collectRanges, type Feeds } from '../../compress/calibrate.ts';
import { keptQuantization } from '../../compress/kept-quantization.ts';
import { quantizeStatic, valuesToCalibrate } from '../../compress/quantize-static.ts';
import type { Ranges } from '../../compress/range.ts';
import type { WeightOptions } from '../../compress/weight-form.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';

const CALIBRATION_BATCHES = 8;
const CALIBRATION_ROWS = 64;

/** Makes a model in int8 with some layers in float32, and others with weights of 4 bits. */
export type Int8Quantizer = (exclude?: readonly string[], fourBit?: readonly string[]) => Graph;

/** A student in int8 as its recipe's export wants it: `calibratedInt8` with the run's engine, seed and form of weights. */
export function studentInt8(
  { engine, recipe, checkInterrupted }: RunContext,
  data: TaskData,
  model: Graph,
): Promise<Int8Quantizer> {
  const weights = recipe.export.int8 || {};
  const isBounded = recipe.export.int8 !== false && recipe.export.int8.maxBytes !== undefined;
  return calibratedInt8({ engine, model, data, seed: recipe.seed, weights, isBounded, checkInterrupted });
}

/**
 * A model in int8, its activation ranges seen on some 500 training samples, or those that it was trained with. The function
 * that comes back makes the graph, leaving the layers that it is given in float32, and those of its second list in 4 bits.
 */
export async function calibratedInt8(
  options: Calibration & {
    /** How its weights are quantised; a scale for each channel, of 7 bits, when absent. */
    readonly weights?: WeightOptions;
    /** Whether some of its layers may get weights of 4 bits. */
    readonly isBounded?: boolean;
  },
): Promise<Int8Quantizer> {
  const { model, weights } = options;
  // Loaded where it is used: pages do not pay for it.
  const emitter = options.isBounded
    ? (await import('../../compress/four-bit-weights.ts')).fourBitEmitter
    : undefined;
  const trained = keptQuantization(model);
  const known = valuesToCalibrate(model).every((name) => trained?.activations.has(name));
  const ranges = known ? new Map() : await calibratedRanges(options);
  return (exclude = [], layers = []) =>
    quantizeStatic(model, ranges, {
      ...weights,
      trained,
      exclude,
      ...(emitter && { fourBit: { layers, emitter } }),
    });
}

/** What ranges are found on. */
export interface Calibration {
  readonly engine: Engine;
  readonly model: Graph;
  readonly data: Pick<TaskData, 'dataset' | 'calibrationMask'>;
  readonly seed: number;
  /** Called before each batch; what it throws ends the calibration. */
  readonly checkInterrupted?: () => void;
}

/** The ranges of all that `quantizeStatic` quantises in a model, seen on some 500 training samples. */
export async function calibratedRanges(options: Calibration): Promise<Ranges> {
  const { engine, model, data } = options;
  const feeds = calibrationFeeds(options);
  return collectRanges(model, valuesToCalibrate(model), engine, feeds, { mask: data.calibrationMask });
}

/** The batches of training samples that ranges are found on. */
export function* calibrationFeeds({
  model,
  data,
  seed,
  checkInterrupted = () => {},
}: Omit<Calibration, 'engine'>): Generator<Feeds> {
  const inputNames = model.inputs.map(({ name }) => name);
  const split = data.dataset.splits.train;
  const order = batchOrder(split, CALIBRATION_ROWS, seed);
  for (let i = 0; i < Math.min(CALIBRATION_BATCHES, order.batchesPerEpoch); i++) {
    checkInterrupted();
    const { bucket, indices } = order.batch(0, i);
    const { columns } = split.readBatch(bucket, indices, indices.length);
    yield takenFeeds({ inputNames }, columns);
  }
}
