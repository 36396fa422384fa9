import type { Engine } from '../engine/engine.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import {
  COEFFICIENTS,
  coefficientInput,
  type DynamicWeightingOptions,
  type DynamicWeightsOptions,
  EFFECT_INPUT,
} from '../weighting/dynamic.ts';
import { takenFeeds } from './batch-feeds.ts';
import type { TrainingBatch } from './batch-source.ts';
import { compileHyperStep, type HyperStepOptions, VALIDATION } from './compile-hyper-step.ts';
import { SessionsByVariant } from './sessions-by-variant.ts';
import { SmallAdam } from './small-adam.ts';
import type { StepControl, StepOutcome } from './step-control.ts';

/** Labelled batches that are not trained on. */
export interface ValidationBatches {
  /** Batch `number`, for as long as wanted, of the sizes of a training step's variant; undefined where there is none. */
  batch(variant: string, number: number): TrainingBatch | undefined;
}

export interface TrainedWeightsOptions
  extends Pick<HyperStepOptions, 'student' | 'optimizer' | 'maxGradNorm' | 'seed' | 'validationTerms'> {
  readonly engine: Engine;
  readonly settings: Omit<DynamicWeightingOptions, 'kind'>;
  readonly weights: DynamicWeightsOptions;
  /** The terms of each stage of the training, by its name. */
  readonly stages: readonly { readonly name: string; readonly terms: readonly ObjectiveTerm[] }[];
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly validation: ValidationBatches;
  onWarning?(message: string): void;
}

interface HyperVariant {
  readonly stage: string;
  readonly variant: string;
}

/**
 * Trains alpha, beta and gamma of dynamic weights: every so many steps it differentiates the validation loss through a
 * step on the batch that was just trained on (`compileHyperStep`), and goes a step of Adam against it.
 *
 * E of a term is an exponential average of its share in what such a step changes the validation loss: its first-order
 * effect over the sum of all terms' (absolute) effects, -1 to 1, positive where the term lowers the loss.
 */
export class TrainedWeights implements StepControl {
  readonly name = 'weights';
  readonly #options: TrainedWeightsOptions;
  readonly #names: readonly string[];
  readonly #sessions: SessionsByVariant<HyperVariant>;
  readonly #adam: SmallAdam;
  /** alpha of all terms, then beta, then gamma. */
  readonly #coefficients: Float32Array;
  readonly #effects: Float32Array;
  #validationLoss = Number.NaN;
  readonly #told = new Set<string>();

  constructor(options: TrainedWeightsOptions) {
    const { engine, variants } = options;
    this.#options = options;
    this.#names = options.weights.names;
    const terms = this.#names.length;
    this.#coefficients = new Float32Array(COEFFICIENTS.length * terms);
    this.#effects = new Float32Array(terms);
    this.#adam = new SmallAdam(this.#coefficients.length, options.settings.learningRate);
    this.#sessions = new SessionsByVariant(
      ({ stage, variant }) => {
        const sizes = variants[variant] as Readonly<Record<string, number>>;
        const graph = compileHyperStep({ ...options, terms: this.#termsOf(stage), sizes });
        return engine.load(writeModel(graph), {
          title: 'the step of the weights',
          spinning: false,
          memoryPattern: false,
        });
      },
      ({ stage, variant }) => `${stage}/${variant}`,
    );
  }

  feeds(): Record<string, Tensor> {
    const terms = this.#names.length;
    return Object.fromEntries([
      ...COEFFICIENTS.map((name, i) => [
        coefficientInput(name),
        float32(this.#coefficients.subarray(i * terms, (i + 1) * terms)),
      ]),
      [EFFECT_INPUT, float32(this.#effects)],
    ]);
  }

  async afterStep({ place, batch, settings, tensors }: StepOutcome): Promise<void> {
    const { every } = this.#options.settings;
    if ((place.step + 1) % every !== 0) return;
    const held = this.#options.validation.batch(batch.variant, Math.floor(place.step / every));
    if (!held) return;
    const session = await this.#sessions.get({ stage: place.stage, variant: batch.variant });
    const validation = Object.entries(held.feeds).map(
      ([name, content]) => [VALIDATION + name, content] as const,
    );
    const given = { ...tensors, ...batch.feeds, ...settings, ...Object.fromEntries(validation) };
    const results = await session.run(takenFeeds(session, given));
    const gradient = COEFFICIENTS.flatMap((name) => [...(results[`gradient/${name}`].data as Float32Array)]);
    const effects = this.#termsOf(place.stage).map(({ name }) => {
      return { name, effect: Number(results[`effect/${name}`].data[0]) };
    });
    if (![...gradient, ...effects.map(({ effect }) => effect)].every(Number.isFinite)) {
      this.#tell(
        'the gradient of the dynamic weights is no number at times: they are left as they were then',
      );
      return;
    }
    this.#validationLoss = Number(results.validation_loss.data[0]);
    this.#addEffects(effects);
    this.#descend(gradient);
  }

  metrics(): Record<string, number> {
    const terms = this.#names.length;
    const coefficients = COEFFICIENTS.flatMap((coefficient, i) =>
      this.#names.map((name, t) => [`${coefficient}/${name}`, this.#coefficients[i * terms + t]] as const),
    );
    const known = Number.isFinite(this.#validationLoss);
    return {
      ...Object.fromEntries(coefficients),
      ...(known ? { 'weighting/validation_loss': this.#validationLoss } : {}),
    };
  }

  save(): Map<string, Tensor> {
    return new Map([
      ['coefficients', float32(this.#coefficients)],
      ['effects', float32(this.#effects)],
      ['validation_loss', float32([this.#validationLoss])],
      ...this.#adam.save(),
    ]);
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    const coefficients = state.get('coefficients');
    if (coefficients?.data.length !== this.#coefficients.length) return;
    this.#coefficients.set(coefficients.data as Float32Array);
    this.#effects.set(state.get('effects')?.data as Float32Array);
    this.#validationLoss = Number(state.get('validation_loss')?.data[0]);
    this.#adam.restore(state);
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  #addEffects(effects: readonly { readonly name: string; readonly effect: number }[]): void {
    const { memory } = this.#options.settings;
    const all = effects.reduce((sum, { effect }) => sum + Math.abs(effect), 0);
    if (all === 0) return;
    for (const { name, effect } of effects) {
      const place = this.#names.indexOf(name);
      const before = this.#effects[place] as number;
      this.#effects[place] = memory * before + (1 - memory) * (effect / all);
    }
  }

  #descend(gradient: readonly number[]): void {
    const { limit } = this.#options.settings;
    this.#adam.descend(this.#coefficients, gradient);
    this.#coefficients.forEach((value, i) => {
      if (Math.abs(value) < limit) return;
      this.#coefficients[i] = Math.sign(value) * limit;
      const coefficient = COEFFICIENTS[Math.floor(i / this.#names.length)];
      this.#tell(
        `${coefficient} of the loss term '${this.#names[i % this.#names.length]}' has reached its limit of ${Math.sign(value) * limit} (weighting.limit)`,
      );
    });
  }

  #termsOf(stage: string): readonly ObjectiveTerm[] {
    const terms = this.#options.stages.find(({ name }) => name === stage)?.terms;
    if (!terms) throw new Error(`dynamic weights were made for no stage ${stage}`);
    return terms;
  }

  #tell(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#options.onWarning?.(message);
  }
}
