/**
 * Half the width of the 95 % interval of an accuracy measured on `texts` texts, as a fraction: 1.96 standard
 * errors of a binomial share. What is nearer than this may be chance.
 */
export function accuracyMargin(accuracy: number, texts: number): number {
  return texts > 0 ? 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / texts) : 1;
}
