import { gradients } from '../autodiff/gradients.ts';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Optimizer, OptimizerScalars } from './optimizer.ts';
import type { StepBuffer, StepGraph } from './step-graph.ts';
import { updateUnits } from './update-units.ts';

/** What an update emitted. */
export interface ParameterUpdates {
  readonly parameters: readonly { readonly parameter: TypedValue; readonly next: TypedValue }[];
  /** The optimizer's state: inputs of the step, and what they become. */
  readonly state: readonly StepBuffer[];
  /** Inputs of the step. */
  readonly scalars: OptimizerScalars;
  /** Of the gradient over all parameters, before it is limited; float32 []. */
  readonly norm: TypedValue;
}

export interface UpdateOptions {
  readonly optimizer: Optimizer;
  /** Gradients whose norm over all parameters is larger are scaled down to it; no limit when absent. */
  readonly maxGradNorm?: number;
  /** Whether the update itself will be differentiated (see `Optimizer.prepareSmooth`). */
  readonly smooth?: boolean;
  /** Whether no parameter is updated before all gradients are there, so that none is read after its update; false when absent. */
  readonly afterGradients?: boolean | undefined;
}

/** Emits one update of the parameters by an optimizer. */
export function updateParameters(
  g: GraphBuilder,
  { optimizer, maxGradNorm, smooth = false, afterGradients = false }: UpdateOptions,
  parameters: readonly TypedValue[],
  raw: readonly TypedValue[],
): ParameterUpdates {
  const units = g.scope('gradient', () => updateUnits(g, parameters, raw));
  const unitGradients = units.map(({ gradient }) => gradient);
  const norm = g.scope('gradient', () => globalNorm(g, unitGradients));
  const limited =
    maxGradNorm === undefined
      ? unitGradients
      : g.scope('gradient', () => limitNorm(g, unitGradients, norm, maxGradNorm));
  const scalars = {
    learningRate: g.input('learning_rate', 'float32', []),
    step: g.input('step', 'float32', []),
  };
  const update = g.scope(optimizer.kind, () => {
    // Nothing is added to the rate; but it is known only once the norm is, and the norm once all gradients are.
    const learningRate = afterGradients ? g.add(scalars.learningRate, g.mul(norm, 0)) : scalars.learningRate;
    const given = { ...scalars, learningRate };
    return smooth && optimizer.prepareSmooth
      ? optimizer.prepareSmooth(g, given)
      : optimizer.prepare(g, given);
  });
  const updated = units.map(({ name, value: before, split }, i) => {
    const slots = optimizer.slots.map((slot) =>
      g.input(stateName(optimizer, slot, name), 'float32', before.shape),
    );
    const next = g.scope(`${optimizer.kind}/${name}`, () => update(before, limited[i], slots));
    return {
      parameters: split(next.parameter),
      state: slots.map((value, s) => ({ value, next: next.state[s] as TypedValue })),
    };
  });
  return {
    parameters: updated.flatMap((unit) => unit.parameters),
    state: updated.flatMap((unit) => unit.state),
    scalars,
    norm,
  };
}

/** What the optimizer updates: the student's parameters, then the auxiliary ones. */
export function trainedValues({ parameters, auxiliary }: StepGraph): TypedValue[] {
  return [...parameters, ...auxiliary.map(({ value }) => value)];
}

/** The loss's gradient for each trained value; zeros for those that it does not depend on, unless that is all of them. */
export function parameterGradients(step: StepGraph, loss: TypedValue): TypedValue[] {
  const { g } = step;
  const parameters = trainedValues(step);
  const found = gradients(g, loss, parameters);
  const idle = parameters.filter((_, i) => found[i] === null);
  if (idle.length === parameters.length) {
    throw new LimbeckError('train.no-gradient', 'the loss does not depend on any parameter of the student', {
      where: `parameters ${parameters.map((parameter) => parameter.name).join(', ')}`,
      remedy: 'Check that the objective uses an output that the parameters lead to.',
    });
  }
  return found.map((gradient, i) => gradient ?? g.mul(parameters[i], 0));
}

/** The norm of several tensors as one vector; float32 []. */
export function globalNorm(g: GraphBuilder, values: readonly TypedValue[]): TypedValue {
  const squares = values.map((value) => g.reduceSumSquare(value, { keepDims: false }));
  return g.sqrt(squares.reduce((sum, value) => g.add(sum, value)));
}

/** Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), algorithm 1. */
function limitNorm(
  g: GraphBuilder,
  values: readonly TypedValue[],
  norm: TypedValue,
  limit: number,
): TypedValue[] {
  const scale = g.min(g.div(limit, g.max(norm, 1e-12)), 1);
  return values.map((value) => g.mul(value, scale));
}

/** The name of an optimizer's state tensor: `adamw/m/embedding/weight`. */
function stateName(optimizer: Optimizer, slot: string, parameter: string): string {
  return `${optimizer.kind}/${slot}/${parameter}`;
}
