import type { AgreementSummary } from './agreement.ts';

/**
 * How much of one model's answers another one gives, whatever they are: the part of their spread that is the same,
 * 1 - sum (a - b)² / sum (a - mean a)². For models whose answers are no classes.
 */
export class AnswerAgreement {
  #samples = 0;
  #count = 0;
  #sum = 0;
  #squares = 0;
  #distance = 0;

  /** Adds a batch of `samples`: the answers of both, of the same shape. */
  add(expected: Float32Array, found: Float32Array, samples: number): void {
    this.#samples += samples;
    for (let i = 0; i < expected.length; i++) {
      const [a, b] = [expected[i] as number, found[i] as number];
      this.#count++;
      this.#sum += a;
      this.#squares += a * a;
      this.#distance += (a - b) ** 2;
    }
  }

  /** `top1` is the share, 0 to 1; `kl` the mean squared distance, by which layers are ranked. */
  summary(): AgreementSummary {
    const spread = this.#squares - this.#sum ** 2 / Math.max(1, this.#count);
    const share = spread > 0 ? 1 - this.#distance / spread : this.#distance === 0 ? 1 : 0;
    return {
      samples: this.#samples,
      top1: Math.max(0, Math.min(1, share)),
      kl: this.#distance / Math.max(1, this.#count),
    } as AgreementSummary;
  }
}
