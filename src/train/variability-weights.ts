import { tensor } from '../onnx/tensor.ts';
import type { BatchSource, TrainingBatch } from './batch-source.ts';
import type { EpochDynamics, SampleDynamics } from './sample-dynamics.ts';

/**
 * How much each sample counts in an epoch: (v + mean(v)) / (2 mean(v)) of its variability v. The mean over all samples
 * is 1; one that never varied, easy or hopeless, counts half.
 *
 * Chang, Learned-Miller and McCallum, "Active Bias: Training More Accurate Neural Networks by Emphasizing High Variance
 * Samples" (2017), SGD-WPV: weights in proportion to the deviation plus its mean; without their term for few looks.
 */
export function variabilityWeights({ variability }: Pick<EpochDynamics, 'variability'>): Float32Array {
  const mean = variability.reduce((sum, value) => sum + value, 0) / Math.max(1, variability.length);
  // After one look nothing has varied yet.
  if (!(mean > 0)) return new Float32Array(variability.length).fill(1);
  return variability.map((value) => (value + mean) / (2 * mean));
}

/** The same batches with `row_weights` times the weights of their samples, as they were when the epoch began. */
export function weighedByVariability(
  batches: BatchSource,
  dynamics: SampleDynamics,
  { samples, limit = Number.POSITIVE_INFINITY }: { readonly samples: number; readonly limit?: number },
): BatchSource {
  let present: { readonly epoch: number; readonly weights: Float32Array | null } | undefined;
  const weightsAt = (epoch: number) => {
    if (present?.epoch !== epoch) {
      const known = dynamics.atEpoch(epoch);
      present = { epoch, weights: known && variabilityWeights(known) };
    }
    return present.weights;
  };
  return {
    batchesPerEpoch: batches.batchesPerEpoch,
    async batch(place, student): Promise<TrainingBatch> {
      const batch = await batches.batch(place, student);
      const weights = weightsAt(place.epoch);
      const before = batch.feeds.row_weights;
      if (!weights || !before || !batch.ordinals) return batch;
      const weighed = (before.data as Float32Array).slice();
      for (let row = 0; row < batch.rows; row++) {
        const ordinal = batch.ordinals[row] as number;
        if (ordinal < limit) weighed[row] = (weighed[row] as number) * (weights[ordinal % samples] as number);
      }
      return { ...batch, feeds: { ...batch.feeds, row_weights: tensor('float32', before.dims, weighed) } };
    },
  };
}
