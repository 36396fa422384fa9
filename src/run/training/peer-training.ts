/**
 * How linear peers are trained, whatever the recipe says of its student: these settings were chosen on the validation
 * split of recipes/glosses.yaml, where they are level with the best of others (docs/results.md).
 */
export const PEER_TRAINING = {
  learningRate: 3e-3,
  weightDecay: 0.01,
  warmup: 0.05,
  decay: 'cosine',
} as const;

/** Samples in a batch: an eighth of few samples, so that a step is not made of rows that only fill it. */
export function peerBatch(samples: number): number {
  return Math.min(512, Math.max(32, 2 ** Math.ceil(Math.log2(Math.max(1, samples / 8)))));
}

/** Passes over many samples. */
const EPOCHS = 4;
/** Few samples are passed over until there are so many steps, */
const FEWEST_STEPS = 300;
/** but not more often than this. */
const MOST_EPOCHS = 40;
/** A peer is to be cheap: of millions of samples it sees as many as fit. */
const MOST_STEPS = 3000;

/** The steps that a peer takes over so many batches an epoch. */
export function peerSteps(batchesPerEpoch: number): number {
  const epochs = Math.min(MOST_EPOCHS, Math.max(EPOCHS, Math.ceil(FEWEST_STEPS / batchesPerEpoch)));
  return Math.min(MOST_STEPS, epochs * batchesPerEpoch);
}
