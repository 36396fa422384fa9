import { collectRanges, type Feeds } from '../compress/calibrate.ts';
import { quantizeStatic, valuesToCalibrate } from '../compress/quantize-static.ts';
import { batchOrder } from '../data/batch-order.ts';
import type { TokenSplit } from '../data/token-split.ts';
import type { Engine } from '../engine/engine.ts';
import type { Graph } from '../onnx/graph.ts';
import { tokenFeeds } from './text-batches.ts';

const CALIBRATION_BATCHES = 8;
const CALIBRATION_ROWS = 64;

/**
 * A text model in int8, its activation ranges seen on some 500 training texts. The function that comes back makes
 * the graph, leaving the layers that it is given in float32.
 */
export async function calibratedInt8(options: {
  readonly engine: Engine;
  readonly model: Graph;
  readonly split: TokenSplit;
  readonly seed: number;
  /** Called before each batch; what it throws ends the calibration. */
  readonly checkInterrupted?: () => void;
}): Promise<(exclude?: readonly string[]) => Graph> {
  const { engine, model, split, seed } = options;
  const feeds = calibrationFeeds(split, seed, options.checkInterrupted);
  const ranges = await collectRanges(model, valuesToCalibrate(model), engine, feeds, {
    mask: 'attention_mask',
  });
  return (exclude = []) => quantizeStatic(model, ranges, { exclude });
}

function* calibrationFeeds(split: TokenSplit, seed: number, checkInterrupted = () => {}): Generator<Feeds> {
  const order = batchOrder(split, CALIBRATION_ROWS, seed);
  for (let i = 0; i < Math.min(CALIBRATION_BATCHES, order.batchesPerEpoch); i++) {
    checkInterrupted();
    const { bucket, indices } = order.batch(0, i);
    yield tokenFeeds(split.readBatch(bucket, indices, indices.length));
  }
}
