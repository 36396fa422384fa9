import type { Evaluation } from '../metrics/metric.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { balancedFactors, FACTORS_INPUT, type GradientNormsOptions } from '../weighting/gradient-norms.ts';
import type { StepControl, StepPlace } from './step-control.ts';

export interface BalancedNormsOptions {
  readonly settings: Omit<GradientNormsOptions, 'kind'>;
  /** The terms that have factors, in their order in the step's input: those of all stages of a training. */
  readonly names: readonly string[];
  /** The terms of each stage of the training, by its name. */
  readonly stages: readonly { readonly name: string; readonly terms: readonly ObjectiveTerm[] }[];
}

/** Balances the gradient norms of the terms (`balancedFactors`), measured at each evaluation; 1 until the first one. */
export class BalancedNorms implements StepControl {
  readonly name = 'balance';
  readonly #options: BalancedNormsOptions;
  /** Of the factors, whose means are geometric: 2 and 1/2 balance. */
  readonly #logs: Float32Array;

  constructor(options: BalancedNormsOptions) {
    this.#options = options;
    this.#logs = new Float32Array(options.names.length);
  }

  feeds(): Record<string, Tensor> {
    return { [FACTORS_INPUT]: float32(this.#logs.map(Math.exp)) };
  }

  afterEvaluation(
    _: Evaluation,
    { place, norms }: { readonly place: StepPlace; readonly norms: Readonly<Record<string, number>> },
  ): void {
    const { stages, names, settings } = this.#options;
    const terms = stages.find(({ name }) => name === place.stage)?.terms ?? [];
    const factors = balancedFactors(
      terms.map(({ name, weight }) => ({ weight, norm: norms[`grad_norm/${name}`] ?? 0 })),
      settings.proportion,
    );
    terms.forEach(({ name }, i) => {
      const place = names.indexOf(name);
      const before = this.#logs[place] as number;
      this.#logs[place] = settings.memory * before + (1 - settings.memory) * Math.log(factors[i] as number);
    });
  }

  save(): Map<string, Tensor> {
    return new Map([['logs', float32(this.#logs)]]);
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    const logs = state.get('logs');
    if (logs?.data.length === this.#logs.length) this.#logs.set(logs.data as Float32Array);
  }
}
