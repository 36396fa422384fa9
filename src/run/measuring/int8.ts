import { collectRanges, type Feeds } from '../../compress/calibrate.ts';
import { quantizeStatic, valuesToCalibrate } from '../../compress/quantize-static.ts';
import { batchOrder } from '../../data/batches/batch-order.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import type { TaskData } from '../context/task.ts';

const CALIBRATION_BATCHES = 8;
const CALIBRATION_ROWS = 64;

/**
 * A model in int8, its activation ranges seen on some 500 training samples. The function that comes back makes
 * the graph, leaving the layers that it is given in float32.
 */
export async function calibratedInt8(options: {
  readonly engine: Engine;
  readonly model: Graph;
  readonly data: Pick<TaskData, 'dataset' | 'calibrationMask'>;
  readonly seed: number;
  /** 7-bit weights (see `QuantizeOptions`); true by default. */
  readonly reduceRange?: boolean;
  /** Called before each batch; what it throws ends the calibration. */
  readonly checkInterrupted?: () => void;
}): Promise<(exclude?: readonly string[]) => Graph> {
  const { engine, model, data, seed, reduceRange } = options;
  const feeds = calibrationFeeds(
    model.inputs.map(({ name }) => name),
    data,
    seed,
    options.checkInterrupted,
  );
  const ranges = await collectRanges(model, valuesToCalibrate(model), engine, feeds, {
    mask: data.calibrationMask,
  });
  return (exclude = []) => quantizeStatic(model, ranges, { exclude, reduceRange });
}

function* calibrationFeeds(
  inputNames: readonly string[],
  { dataset }: Pick<TaskData, 'dataset'>,
  seed: number,
  checkInterrupted = () => {},
): Generator<Feeds> {
  const split = dataset.splits.train;
  const order = batchOrder(split, CALIBRATION_ROWS, seed);
  for (let i = 0; i < Math.min(CALIBRATION_BATCHES, order.batchesPerEpoch); i++) {
    checkInterrupted();
    const { bucket, indices } = order.batch(0, i);
    const { columns } = split.readBatch(bucket, indices, indices.length);
    yield takenFeeds({ inputNames }, columns);
  }
}
