import { prepareForGradients } from '../autodiff/prepare.ts';
import { overForeignModel } from '../autodiff/rule.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { ShapeError } from '../onnx/shape-inference/rule.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import { type CompiledStep, compileStep, parametersWithoutGradient } from './compile-step.ts';
import { kindOptions } from './kind-options.ts';
import { checkedSizes, checkNames, requireRange } from './model-inputs.ts';
import { type ModelObjectiveOptions, modelTerms } from './model-terms.ts';
import type { Optimizer, OptimizerKind } from './optimizer.ts';
import { OPTIMIZERS, type OptimizerInput } from './optimizers.ts';
import { type FrozenInitializer, trainableInitializers } from './trainable-initializers.ts';
import { unrollStep } from './unroll-step.ts';

export interface CompileModelOptions {
  /** The loss: a weighted sum of terms, one at least. `[{ kind: 'kd', temperature: 4 }, { kind: 'labels' }]`. */
  readonly objectives: readonly ModelObjectiveOptions[];
  /** The output that objectives look at when they name none: `logits`, or the model's only output, by default. */
  readonly output?: string;
  /** Numbers for the model's symbolic sizes: `{ batch: 32, sequence: 128 }`. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** `{ kind: 'adamw' }` by default. Its learning rate is only suggested: the rate is an input of the step. */
  readonly optimizer?: OptimizerInput;
  /** Gradients whose norm over all parameters is larger are scaled down to it; no limit when absent. */
  readonly maxGradNorm?: number;
  /** Names or patterns (`*`) of the initializers that learn; all weights by default. */
  readonly train?: readonly string[];
  /** Names or patterns of those that do not. */
  readonly freeze?: readonly string[];
  /** Training steps in one run: K batches at once are fed, and the calls cost less. 1 by default. */
  readonly stepsPerRun?: number;
}

/** A model's training step, and what is needed to run it. */
export interface CompiledModel {
  readonly step: CompiledStep;
  readonly student: Student;
  /** The initial values of all that is carried and does not begin as zeros, by name. */
  readonly initial: ReadonlyMap<string, Tensor>;
  readonly frozen: readonly FrozenInitializer[];
  readonly objectives: readonly ({
    readonly kind: string;
    readonly name: string;
    readonly weight: number;
  } & Record<string, unknown>)[];
  readonly optimizer: { readonly kind: string } & Record<string, unknown>;
}

const MAX_STEPS_PER_RUN = 1024;

/**
 * Compiles the training step of a model that was read from a file: forward, loss, backward, update.
 *
 * @throws LimbeckError `compile.option` (an unknown objective, a value out of range), `compile.no-such-output`,
 *   `compile.sizes`, `compile.shapes`, `compile.no-such-parameter`, `compile.no-parameter`, `compile.reserved-name`,
 *   `train.objective-output`, `train.loss-not-scalar`, `train.no-gradient`, and what preparing the model throws.
 */
export function compileModel(model: Graph, options: CompileModelOptions): CompiledModel {
  const { entry, options: optimizerOptions } = kindOptions('optimizer', ANY_OPTIMIZER, {
    ...(options.optimizer ?? { kind: 'adamw' }),
  });
  const { maxGradNorm, stepsPerRun = 1 } = options;
  requireRange('maxGradNorm', maxGradNorm, (value) => value > 0, 'a number above 0');
  requireRange(
    'stepsPerRun',
    stepsPerRun,
    (value) => Number.isInteger(value) && value >= 1 && value <= MAX_STEPS_PER_RUN,
    `a whole number from 1 to ${MAX_STEPS_PER_RUN}`,
  );
  const graph = prepareForGradients(model);
  const objectives = modelTerms(graph, options.objectives, options.output);
  const sizes = checkedSizes(graph, options.sizes ?? {});
  const { trained, frozen } = trainableInitializers(graph, constantsOf(graph, model), options);
  const candidates: Student = { graph, parameters: trained };
  checkNames(candidates);

  const terms = objectives.map(({ term }) => term);
  const idle = withShapesTold(() =>
    trained.length > 0 ? parametersWithoutGradient({ student: candidates, sizes, terms }) : [],
  );
  const parameters = trained.filter((name) => !idle.some((other) => other.name === name));
  if (parameters.length === 0) throw noParameter(trained, frozen);
  const student: Student = { graph, parameters };
  const optimizer: Optimizer = entry.create(optimizerOptions as { learningRate: number });
  const step = withShapesTold(() => compileStep({ student, sizes, terms, optimizer, maxGradNorm }));
  return {
    step: unrollStep(step, stepsPerRun),
    student,
    initial: new Map(step.carried.flatMap(({ spec, initial }) => (initial ? [[spec.name, initial]] : []))),
    frozen: [...frozen.filter(({ name }) => !step.carried.some(({ spec }) => spec.name === name)), ...idle],
    objectives: objectives.map(({ kind, given, term }) => ({
      ...given,
      kind,
      name: term.name,
      weight: term.weight,
    })),
    optimizer: { kind: entry.kind, ...optimizerOptions },
  };
}

const ANY_OPTIMIZER: readonly OptimizerKind[] = OPTIMIZERS as readonly unknown[] as readonly OptimizerKind[];

/** Float initializers that were constants in the file: what folding made of its Constant nodes. */
function constantsOf(prepared: Graph, original: Graph): ReadonlySet<string> {
  const own = new Set([...original.initializers.keys()].map(({ name }) => name));
  return new Set([...prepared.initializers.keys()].map(({ name }) => name).filter((name) => !own.has(name)));
}

function noParameter(trained: readonly string[], frozen: readonly FrozenInitializer[]): LimbeckError {
  const why =
    trained.length > 0
      ? `the loss depends on none of the ${trained.length} initializers that could learn (${trained.slice(0, 3).join(', ')}...)`
      : 'no initializer of the model can learn';
  const shown = frozen.slice(0, 5).map(({ name, reason }) => `${name}: ${reason}`);
  return new LimbeckError('compile.no-parameter', why, {
    where: shown.length > 0 ? shown.join('; ') : 'the model has no float initializers',
    remedy: 'Choose an output that the weights lead to, or name what learns (--train PATTERN).',
  });
}

/** Sizes that do not go together are the person's: told with the operator where they meet. */
function withShapesTold<T>(compile: () => T): T {
  try {
    return overForeignModel(compile);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new LimbeckError('compile.shapes', 'the sizes in the model do not go together', {
      where: cause.message,
      remedy: 'Give other sizes (--size), or check the model.',
      cause,
    });
  }
}
