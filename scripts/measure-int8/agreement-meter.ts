import type { Tensor } from '../../src/onnx/tensor.ts';

/** How near two models' outputs are, over rows (the last axis is what a row holds). */
export interface Agreement {
  readonly rows: number;
  /** The share of rows whose largest element is at the same place: the same decision. */
  readonly top1: number;
  /** Mean KL divergence of the rows' softmaxes, reference to candidate, in nats. */
  readonly kl: number;
  /** Mean cosine similarity of the rows; 1 where both are zero. */
  readonly cosine: number;
  readonly maxAbsoluteError: number;
}

/** Adds up the agreement of a candidate with a reference, batch by batch. */
export class AgreementMeter {
  #rows = 0;
  #same = 0;
  #kl = 0;
  #cosine = 0;
  #worst = 0;

  /** Adds float32 outputs of the same shape; with `rows`, only that many of the first rows (a short last batch). */
  add(reference: Tensor, candidate: Tensor, rows?: number): void {
    if (reference.dims.join() !== candidate.dims.join()) {
      throw new Error(`outputs of shapes [${reference.dims}] and [${candidate.dims}] cannot be compared`);
    }
    const width = reference.dims[reference.dims.length - 1];
    const [p, q] = [reference.data as Float32Array, candidate.data as Float32Array];
    const count = Math.min(rows ?? p.length / width, p.length / width);
    for (let row = 0; row < count; row++) {
      this.#row(p.subarray(row * width, (row + 1) * width), q.subarray(row * width, (row + 1) * width));
    }
  }

  #row(p: Float32Array, q: Float32Array): void {
    let [bestP, bestQ, dot, normP, normQ] = [0, 0, 0, 0, 0];
    for (let i = 0; i < p.length; i++) {
      if (p[i] > p[bestP]) bestP = i;
      if (q[i] > q[bestQ]) bestQ = i;
      dot += p[i] * q[i];
      normP += p[i] * p[i];
      normQ += q[i] * q[i];
      const error = Math.abs(p[i] - q[i]);
      // Written so that a NaN counts as the worst there is.
      if (!(error <= this.#worst)) this.#worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    }
    let [sumP, sumQ] = [0, 0];
    for (let i = 0; i < p.length; i++) {
      sumP += Math.exp(p[i] - p[bestP]);
      sumQ += Math.exp(q[i] - q[bestQ]);
    }
    const [logZP, logZQ] = [p[bestP] + Math.log(sumP), q[bestQ] + Math.log(sumQ)];
    let kl = 0;
    for (let i = 0; i < p.length; i++) {
      const logP = p[i] - logZP;
      kl += Math.exp(logP) * (logP - (q[i] - logZQ));
    }
    this.#rows++;
    if (bestP === bestQ) this.#same++;
    this.#kl += kl;
    this.#cosine += normP === 0 && normQ === 0 ? 1 : dot / (Math.sqrt(normP * normQ) || 1);
  }

  /** Of all rows so far. */
  result(): Agreement {
    const rows = Math.max(this.#rows, 1);
    return {
      rows: this.#rows,
      top1: this.#same / rows,
      kl: this.#kl / rows,
      cosine: this.#cosine / rows,
      maxAbsoluteError: this.#worst,
    };
  }
}
