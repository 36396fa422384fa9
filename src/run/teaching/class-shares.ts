/** More rounds change the shares by less than a sample of some thousand texts leaves to chance. */
const ROUNDS = 50;

/**
 * The part of all samples that each class has, estimated from answers about samples without labels. The answers are those of
 * a classifier that learnt from samples in which the classes had the parts `learnt`.
 *
 * Expectation maximisation of Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori
 * Probabilities" (2002), section 2.2.
 *
 * @param logits [samples, classes]
 * @param learnt [classes], summing to 1
 */
export function estimatedShares(logits: Float32Array, learnt: readonly number[]): number[] {
  const classes = learnt.length;
  const samples = logits.length / classes;
  const probabilities = softmaxRows(logits, classes);
  let shares = [...learnt];
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(classes);
    const factors = shares.map((share, i) => share / (learnt[i] as number));
    for (let at = 0; at < probabilities.length; at += classes) {
      let sum = 0;
      for (let i = 0; i < classes; i++) sum += (probabilities[at + i] as number) * (factors[i] as number);
      for (let i = 0; i < classes; i++)
        next[i]! += ((probabilities[at + i] as number) * (factors[i] as number)) / sum / samples;
    }
    shares = Array.from(next);
  }
  return shares;
}

/** A class that was never answered still is one: its logit moves by no more than a hundredfold share would. */
const LEAST_FACTOR = 0.01;

/** What is added to the logits of each class: `strength` times the logarithm of its new share over its old one. */
export function shareShift(
  estimated: readonly number[],
  learnt: readonly number[],
  strength: number,
): number[] {
  return estimated.map(
    (share, i) => strength * Math.log(Math.max(share / (learnt[i] as number), LEAST_FACTOR)),
  );
}

function softmaxRows(logits: Float32Array, classes: number): Float64Array {
  const result = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < classes; i++) largest = Math.max(largest, logits[at + i] as number);
    let sum = 0;
    for (let i = 0; i < classes; i++) {
      const value = Math.exp((logits[at + i] as number) - largest);
      result[at + i] = value;
      sum += value;
    }
    for (let i = 0; i < classes; i++) result[at + i]! /= sum;
  }
  return result;
}
