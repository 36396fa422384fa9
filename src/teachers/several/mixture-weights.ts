/** Until nothing changes by more than this. */
const SAME = 1e-6;
const MOST_ROUNDS = 500;

/**
 * The weights under which labelled samples are likeliest: w of the mixture sum of w_i p_i(class), by expectation maximisation
 * (Dempster et al., 1977), which never makes them less likely and has one optimum here, for the logarithm of a sum of
 * concave functions is concave.
 *
 * @param chances for each sample the probability that each teacher gives to what is true, [samples][teachers]
 * @returns weights that sum to 1; equal ones where there is no sample
 */
export function mixtureWeights(chances: readonly (readonly number[])[], teachers: number): number[] {
  let weights = Array.from({ length: teachers }, () => 1 / teachers);
  if (chances.length === 0) return weights;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const sums = weights.map(() => 0);
    for (const sample of chances) {
      const parts = weights.map((weight, i) => weight * Math.max(sample[i] as number, 1e-12));
      const total = parts.reduce((sum, part) => sum + part, 0);
      parts.forEach((part, i) => {
        sums[i] = (sums[i] as number) + part / total;
      });
    }
    const next = sums.map((sum) => sum / chances.length);
    const change = Math.max(...next.map((weight, i) => Math.abs(weight - (weights[i] as number))));
    weights = next;
    if (change < SAME) break;
  }
  return weights;
}
