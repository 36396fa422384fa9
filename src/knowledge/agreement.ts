export interface AgreementSummary {
  readonly samples: number;
  /** The part of the samples on which both decide the same, 0 to 1. */
  readonly top1: number;
  /** Mean KL(reference || other) of the softmax distributions, in nats. */
  readonly kl: number;
  /** The largest KL of a single sample. */
  readonly worstKl: number;
}

/**
 * How far two sets of logits agree, sample by sample, as they come: for instance an int8 teacher with its float32
 * original, before its labels are used.
 *
 * @example
 * const agreement = new Agreement(26);
 * agreement.add(float32Logits, int8Logits);
 * if (agreement.summary().top1 < 0.99) ...
 */
export class Agreement {
  readonly #classes: number;
  #samples = 0;
  #same = 0;
  #kl = 0;
  #worst = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  /** Adds some samples: logits [n, classes] of both. */
  add(reference: Float32Array, other: Float32Array): void {
    const classes = this.#classes;
    if (reference.length !== other.length || reference.length % classes !== 0) {
      throw new Error(
        `${reference.length} and ${other.length} values are not logits over ${classes} classes`,
      );
    }
    for (let start = 0; start < reference.length; start += classes) {
      const p = reference.subarray(start, start + classes);
      const q = other.subarray(start, start + classes);
      const kl = klDivergence(p, q);
      this.#samples++;
      if (argmax(p) === argmax(q)) this.#same++;
      this.#kl += kl;
      this.#worst = Math.max(this.#worst, kl);
    }
  }

  summary(): AgreementSummary {
    if (this.#samples === 0) throw new Error('no samples were compared');
    return {
      samples: this.#samples,
      top1: this.#same / this.#samples,
      kl: this.#kl / this.#samples,
      worstKl: this.#worst,
    };
  }
}

/** KL(softmax(a) || softmax(b)) in nats, by log-sum-exp, so that large logits do not overflow. */
export function klDivergence(a: Float32Array, b: Float32Array): number {
  const normalA = logSumExp(a);
  const normalB = logSumExp(b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const logP = (a[i] as number) - normalA;
    const p = Math.exp(logP);
    // A class of probability 0 adds nothing, also where the other gives it log 0.
    if (p > 0) sum += p * (logP - ((b[i] as number) - normalB));
  }
  // Rounding can take it a hair below 0, where it cannot be.
  return Math.max(0, sum);
}

function logSumExp(values: Float32Array): number {
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (top === -Infinity) return top;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - top);
  return top + Math.log(sum);
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
