/** Steps over which a loss that is shown is averaged, about. */
const STEPS = 50;

/**
 * The exponential moving mean of a value that jumps from step to step, unbiased from the first one on (Kingma and Ba, "Adam", 2015,
 * section 3).
 */
export class RunningMean {
  #sum = 0;
  #weight = 0;

  /** Takes a value, and gives the mean with it. */
  add(value: number): number {
    const part = 1 / STEPS;
    this.#sum += part * (value - this.#sum);
    this.#weight += part * (1 - this.#weight);
    return this.#sum / this.#weight;
  }
}
