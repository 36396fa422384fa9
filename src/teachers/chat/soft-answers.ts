/** Probabilities below this are not told apart: their logarithms would be of the size of what float16 rounds. */
const FLOOR = 1e-6;

/** Logits of classes, whose softmax are the shares (scaled to sum to 1). */
export function logitsOfShares(shares: ArrayLike<number>): Float32Array {
  const sum = Array.from(shares).reduce((total, share) => total + share, 0);
  return Float32Array.from(shares, (share) => Math.log(Math.max(FLOOR, share / sum)));
}

/**
 * Probabilities of classes from counted answers: (1 - smoothing) of it is the share of the votes, the rest lies on all
 * classes alike.
 *
 * Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture for Computer Vision" (2016), section 7.
 */
export function smoothedVotes(votes: ArrayLike<number>, smoothing: number): Float64Array {
  const total = Array.from(votes).reduce((sum, count) => sum + count, 0);
  return Float64Array.from(votes, (count) => ((1 - smoothing) * count) / total + smoothing / votes.length);
}

/** The logit (log of the odds) of yes, where `yes` of `asked` answers said so, smoothed as two classes are. */
export function logitOfVotes(yes: number, asked: number, smoothing: number): number {
  const probability = Math.min(1 - FLOOR, Math.max(FLOOR, ((1 - smoothing) * yes) / asked + smoothing / 2));
  return Math.log(probability / (1 - probability));
}
