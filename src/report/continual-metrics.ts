/** Accuracies, 0 to 1: row i after task i was learnt, column j on the test samples of task j. */
export type AccuracyMatrix = readonly (readonly number[])[];

/** The mean accuracy over the tasks learnt so far, after task `k` (from 0). */
export function averageAccuracy(matrix: AccuracyMatrix, k = matrix.length - 1): number {
  return meanAccuracy(row(matrix, k).slice(0, k + 1));
}

/**
 * How much was lost of each earlier task since it was known best, as a mean over the earlier tasks, after task `k`; 0
 * after the first one.
 *
 * Chaudhry et al., "Riemannian Walk for Incremental Learning" (2018), equation 3.
 */
export function forgetting(matrix: AccuracyMatrix, k = matrix.length - 1): number {
  const lost = earlier(k).map((j) => {
    const best = Math.max(...matrix.slice(0, k).map((after) => after[j] as number));
    return best - (row(matrix, k)[j] as number);
  });
  return meanAccuracy(lost);
}

/**
 * What learning later tasks did to the earlier ones, as a mean over them, after task `k`; negative where they were
 * forgotten, 0 after the first one.
 *
 * Lopez-Paz and Ranzato, "Gradient Episodic Memory for Continual Learning" (2017), equation 3.
 */
export function backwardTransfer(matrix: AccuracyMatrix, k = matrix.length - 1): number {
  return meanAccuracy(earlier(k).map((j) => (row(matrix, k)[j] as number) - (row(matrix, j)[j] as number)));
}

function earlier(k: number): number[] {
  return Array.from({ length: k }, (_, j) => j);
}

function row(matrix: AccuracyMatrix, k: number): readonly number[] {
  return matrix[k] as readonly number[];
}

/** The mean over tasks; 0 of none. */
export function meanAccuracy(values: readonly number[]): number {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : 0;
}
