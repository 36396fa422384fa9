import { elementCount, type Tensor } from '../onnx/tensor.ts';
import type { Difference, Interval } from './interval.ts';
import { Measuring } from './measuring.ts';
import type { Answers, MeasuredBatch, Metric } from './metric.ts';
import { rowOf } from './output-rows.ts';

/** Parts that samples are dealt to. */
const PARTS = 10;
/** The 97.5 % quantile of Student's t with PARTS - 1 degrees of freedom. */
const T_QUANTILE = 2.262;

/**
 * A metric of one model on all samples, and on all but those of each of ten parts, which are the same ones for every model
 * that is measured on the samples: the delete-a-group jackknife. It gives intervals for any metric that changes smoothly
 * with the samples: ranks, F1 and roots as well as means.
 *
 * Kott, "The Delete-A-Group Jackknife" (2001).
 */
export class JackknifedMetric {
  readonly #metric: Metric;
  readonly #whole: Measuring;
  readonly #without: readonly Measuring[];

  constructor(metric: Metric) {
    this.#metric = metric;
    this.#whole = new Measuring([metric]);
    this.#without = Array.from({ length: PARTS }, () => new Measuring([metric]));
  }

  add(answers: Answers, batch: MeasuredBatch): void {
    this.#whole.add(answers, batch);
    for (let part = 0; part < PARTS; part++) {
      const rows = Array.from({ length: batch.filled }, (_, row) => row).filter(
        (row) => (batch.ordinals[row] as number) % PARTS === part,
      );
      if (rows.length === 0) continue;
      const own = chosenRows(batch, rows);
      const ownAnswers = chosenOf(answers, rows);
      this.#without.forEach((measuring, other) => {
        if (other !== part) measuring.add(ownAnswers, own);
      });
    }
  }

  get value(): number {
    return this.#of(this.#whole);
  }

  /** The 95 % interval of this model's value; infinite bounds where the samples are too few for one. */
  get interval(): Interval {
    const half = this.#halfOf(
      this.value,
      this.#without.map((one) => this.#of(one)),
    );
    if (half === undefined) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    return { low: this.value - half, high: this.value + half };
  }

  /** This model's value minus the other's on the same samples; infinite bounds where they are too few for an interval. */
  minus(other: JackknifedMetric): Difference {
    const difference = this.value - other.value;
    const half = this.#half(other, difference, (one, two) => one - two);
    if (half === undefined)
      return { difference, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    return { difference, low: difference - half, high: difference + half };
  }

  /** The 95 % interval of this model's value / the other's; undefined where the samples are too few for one. */
  over(other: JackknifedMetric): Interval | undefined {
    const ratio = this.value / other.value;
    const half = this.#half(other, ratio, (one, two) => one / two);
    return half === undefined ? undefined : { low: Math.max(0, ratio - half), high: ratio + half };
  }

  /** Half the interval of what two models' values make. */
  #half(
    other: JackknifedMetric,
    whole: number,
    make: (one: number, two: number) => number,
  ): number | undefined {
    const parts = this.#without.map((one, part) =>
      make(this.#of(one), this.#of(other.#without[part] as Measuring)),
    );
    return this.#halfOf(whole, parts);
  }

  /** Half the interval of a value, from what it is without each of the parts. */
  #halfOf(whole: number, parts: readonly number[]): number | undefined {
    const variance = ((PARTS - 1) / PARTS) * parts.reduce((sum, value) => sum + (value - whole) ** 2, 0);
    return Number.isFinite(variance) ? T_QUANTILE * Math.sqrt(variance) : undefined;
  }

  #of(measuring: Measuring): number {
    return measuring.values()[this.#metric.name] as number;
  }
}

/** A batch of some of a batch's rows. */
function chosenRows({ ordinals, columns }: MeasuredBatch, rows: readonly number[]): MeasuredBatch {
  return {
    filled: rows.length,
    ordinals: rows.map((row) => ordinals[row] as number),
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, chosenOf(column, rows)]),
    ),
  };
}

function chosenOf(tensor: Tensor, rows: readonly number[]): Tensor {
  const dims = [rows.length, ...tensor.dims.slice(1)];
  const all = tensor.data as Float32Array;
  const data = new (all.constructor as Float32ArrayConstructor)(elementCount(dims));
  const width = elementCount(dims.slice(1));
  rows.forEach((row, i) => {
    data.set(rowOf(tensor, row) as Float32Array, i * width);
  });
  return { type: tensor.type, dims, data };
}
