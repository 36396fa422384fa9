/** Test samples that a file answers at once. */
export const EVALUATION_BATCH = 64;
