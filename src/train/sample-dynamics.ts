import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import type { StepControl, StepOutcome } from './step-control.ts';

/** How a training went for its samples, by ordinal. */
export interface DynamicsTable {
  /** float32 [samples]: the mean confidence in what is true of the sample (its class's probability), over the times it was seen. */
  readonly confidence: Float32Array;
  /** float32 [samples]: the standard deviation of that confidence. */
  readonly variability: Float32Array;
  /** float32 [samples]: the part of the times at which the student's answer was right; absent of answers that are nearer or farther only. */
  readonly correctness?: Float32Array;
  /** int32 [samples]: how often it was seen. */
  readonly seen: Int32Array;
}

/** What was known of the samples when an epoch began: batches of that epoch may depend on it. */
export interface EpochDynamics {
  readonly confidence: Float32Array;
  readonly variability: Float32Array;
}

export interface SampleDynamicsOptions {
  readonly samples: number;
  readonly stepsPerEpoch: number;
  /** Ordinals of a batch from this one on are of other samples, which are not followed; all are when absent. */
  readonly limit?: number;
  /** Whether something asks for `atEpoch`: it costs 8 bytes a sample more. */
  readonly frozen: boolean;
  /** Whether answers are right or wrong; true when absent. */
  readonly judged?: boolean;
}

/**
 * Follows every training sample over the epochs: how probable the student holds its class, how much that varies, and how
 * often it is right. Costs 16 bytes a sample, in memory and in checkpoints. Needs `observeAnswers`. Several views of a
 * image are one sample: their ordinals are `view * samples + image`.
 *
 * Swayamdipta et al., "Dataset Cartography: Mapping and Diagnosing Datasets with Training Dynamics" (2020), section 2.
 * They look after each epoch; here every sample is looked at in the step that trains on it, which costs no pass of its
 * own. Mean and deviation are Welford's (1962) running ones.
 */
export class SampleDynamics implements StepControl {
  readonly name = 'dynamics';
  readonly #options: SampleDynamicsOptions;
  #mean: Float32Array;
  /** Sums of squared distances from the mean. */
  #squares: Float32Array;
  #right: Int32Array;
  #seen: Int32Array;
  #frozen: { readonly epoch: number; readonly dynamics: EpochDynamics } | undefined;

  constructor(options: SampleDynamicsOptions) {
    const { samples } = options;
    this.#options = options;
    this.#mean = new Float32Array(samples);
    this.#squares = new Float32Array(samples);
    this.#right = new Int32Array(samples);
    this.#seen = new Int32Array(samples);
  }

  afterStep({ place, batch, rows }: Pick<StepOutcome, 'place' | 'batch' | 'rows'>): void {
    const { samples, stepsPerEpoch, limit = Number.POSITIVE_INFINITY, frozen, judged = true } = this.#options;
    const { confidence, correct } = rows;
    if (!batch.ordinals || !confidence || (judged && !correct))
      throw new Error('following samples takes their ordinals, confidence and correctness');
    for (let row = 0; row < batch.rows; row++) {
      const ordinal = batch.ordinals[row] as number;
      if (ordinal < limit) this.#add(ordinal % samples, confidence[row] as number, correct?.[row] === 1);
    }
    if (frozen && (place.step + 1) % stepsPerEpoch === 0) {
      const { confidence: mean, variability } = this.table();
      this.#frozen = { epoch: place.epoch + 1, dynamics: { confidence: mean, variability } };
    }
  }

  /** What was known when `epoch` began; null for the first one. Only for the epoch that training is in. */
  atEpoch(epoch: number): EpochDynamics | null {
    if (epoch === 0) return null;
    if (this.#frozen?.epoch !== epoch)
      throw new Error(`the dynamics of epoch ${this.#frozen?.epoch} are kept, not of ${epoch}`);
    return this.#frozen.dynamics;
  }

  table(): DynamicsTable {
    const seen = this.#seen.slice();
    const { judged = true } = this.#options;
    return {
      confidence: this.#mean.slice(),
      variability: this.#squares.map((sum, i) => Math.sqrt(sum / Math.max(1, seen[i] as number))),
      ...(judged && {
        correctness: Float32Array.from(this.#right, (right, i) => right / Math.max(1, seen[i] as number)),
      }),
      seen,
    };
  }

  metrics(): Record<string, number> {
    let [samples, confidence, variability] = [0, 0, 0];
    this.#seen.forEach((seen, i) => {
      if (seen === 0) return;
      samples++;
      confidence += this.#mean[i] as number;
      variability += Math.sqrt((this.#squares[i] as number) / seen);
    });
    if (samples === 0) return {};
    return {
      'dynamics/confidence': confidence / samples,
      'dynamics/variability': variability / samples,
    };
  }

  save(): ReadonlyMap<string, Tensor> {
    const { samples } = this.#options;
    const state: [string, Tensor][] = [
      ['mean', tensor('float32', [samples], this.#mean)],
      ['squares', tensor('float32', [samples], this.#squares)],
      ['right', tensor('int32', [samples], this.#right)],
      ['seen', tensor('int32', [samples], this.#seen)],
    ];
    if (this.#frozen) {
      const { epoch, dynamics } = this.#frozen;
      state.push(
        ['frozen/epoch', float32([epoch], [])],
        ['frozen/confidence', tensor('float32', [samples], dynamics.confidence)],
        ['frozen/variability', tensor('float32', [samples], dynamics.variability)],
      );
    }
    return new Map(state);
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    const of = <A>(name: string) => state.get(name)?.data as A | undefined;
    this.#mean = of('mean') ?? this.#mean;
    this.#squares = of('squares') ?? this.#squares;
    this.#right = of('right') ?? this.#right;
    this.#seen = of('seen') ?? this.#seen;
    const epoch = of<Float32Array>('frozen/epoch')?.[0];
    if (epoch === undefined) return;
    const confidence = of<Float32Array>('frozen/confidence') as Float32Array;
    const variability = of<Float32Array>('frozen/variability') as Float32Array;
    this.#frozen = { epoch, dynamics: { confidence, variability } };
  }

  #add(sample: number, confidence: number, right: boolean): void {
    const seen = (this.#seen[sample] as number) + 1;
    this.#seen[sample] = seen;
    const before = this.#mean[sample] as number;
    const mean = before + (confidence - before) / seen;
    this.#mean[sample] = mean;
    this.#squares[sample] = (this.#squares[sample] as number) + (confidence - before) * (confidence - mean);
    if (right) this.#right[sample] = (this.#right[sample] as number) + 1;
  }
}
