import { collectRanges, type Feeds } from '../../compress/calibrate.ts';
import { keptQuantization } from '../../compress/kept-quantization.ts';
import { quantizeStatic, valuesToCalibrate } from '../../compress/quantize-static.ts';
import type { Ranges } from '../../compress/range.ts';
import { subPixelConvolutions } from '../../compress/sub-pixel-convolutions.ts';
import type { WeightOptions } from '../../compress/weight-form.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import type { TaskData } from '../context/task.ts';

const CALIBRATION_BATCHES = 8;
const CALIBRATION_ROWS = 64;
/** On so many samples ranges are found. */
export const CALIBRATION_SAMPLES = CALIBRATION_BATCHES * CALIBRATION_ROWS;

/** Makes a model in int8 with some layers in float32, and others with weights of 4 bits. */
export type Int8Quantizer = (exclude?: readonly string[], fourBit?: readonly string[]) => Graph;

export interface Int8Options extends Calibration {
  /** How its weights are quantised; a scale for each channel, of 7 bits, when absent. */
  readonly weights?: WeightOptions;
  /** Whether some of its layers may get weights of 4 bits. */
  readonly isBounded?: boolean;
}

/**
 * A model in int8, its activation ranges seen on some 500 training samples, or those that it was trained with. The function
 * that comes back makes the graph, leaving the layers that it is given in float32, and those of its second list in 4 bits.
 */
export async function calibratedInt8(options: Int8Options): Promise<Int8Quantizer> {
  return (await int8Forms(options)).plain;
}

/** A model in int8 as `calibratedInt8` makes it (of a model with transposed convolutions: of its `subPixelConvolutions`), and with its biases corrected by what int8 shifts on the same samples. */
export interface Int8Forms {
  readonly plain: Int8Quantizer;
  /** Absent for a model that was trained with the roundings of int8: its biases have learnt them. */
  readonly corrected?: () => Promise<Int8Quantizer>;
}

export async function int8Forms(options: Int8Options): Promise<Int8Forms> {
  const model = subPixelConvolutions(options.model);
  const { engine, weights, data } = options;
  // Loaded where it is used: pages do not pay for it.
  const emitter = options.isBounded
    ? (await import('../../compress/four-bit-weights.ts')).fourBitEmitter
    : undefined;
  const trained = keptQuantization(model);
  const known = valuesToCalibrate(model).every((name) => trained?.activations.has(name));
  const ranges = known ? new Map() : await calibratedRanges({ ...options, model });
  const quantize = (graph: Graph, exclude: readonly string[], layers: readonly string[]) =>
    quantizeStatic(graph, ranges, {
      ...weights,
      trained,
      exclude,
      ...(emitter && { fourBit: { layers, emitter } }),
    });
  const plain: Int8Quantizer = (exclude = [], layers = []) => quantize(model, exclude, layers);
  if (known) return { plain };
  const corrected = async (): Promise<Int8Quantizer> => {
    const { shiftsOfInt8, withCorrectedBiases } = await import('../../compress/correct-biases.ts');
    const feeds = calibrationFeeds(options);
    const shifts = await shiftsOfInt8(model, ranges, engine, feeds, {
      ...weights,
      mask: data.calibrationMask,
    });
    return (exclude = [], layers = []) =>
      quantize(withCorrectedBiases(model, shifts, [...exclude, ...layers]), exclude, layers);
  };
  return { plain, corrected };
}

/** What ranges are found on. */
export interface Calibration {
  readonly engine: Engine;
  readonly model: Graph;
  readonly data: Pick<TaskData, 'dataset' | 'calibrationMask'>;
  readonly seed: number;
  /** At most so many samples; CALIBRATION_SAMPLES when absent. */
  readonly samples?: number;
  /** Is told how long the ranges of each batch took. */
  readonly onBatch?: (batch: { readonly samples: number; readonly seconds: number }) => void;
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
  samples = CALIBRATION_SAMPLES,
  onBatch,
  checkInterrupted = () => {},
}: Omit<Calibration, 'engine'>): Generator<Feeds> {
  const inputNames = model.inputs.map(({ name }) => name);
  const split = data.dataset.splits.train;
  const order = batchOrder(split, CALIBRATION_ROWS, seed);
  let left = samples;
  for (let i = 0; left > 0 && i < Math.min(CALIBRATION_BATCHES, order.batchesPerEpoch); i++) {
    checkInterrupted();
    const batch = order.batch(0, i);
    const indices = batch.indices.slice(0, left);
    left -= indices.length;
    const { columns } = split.readBatch(batch.bucket, indices, indices.length);
    const began = performance.now();
    yield takenFeeds({ inputNames }, columns);
    onBatch?.({ samples: indices.length, seconds: (performance.now() - began) / 1000 });
  }
}
