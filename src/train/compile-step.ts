import { gradients } from '../autodiff/gradients.ts';
import { LimbeckError } from '../errors.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { lowerBatchNorm } from '../onnx/passes/lower-batch-norm.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { narrowSplits } from '../onnx/passes/narrow-splits.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { type RunningStatistic, runningStatistics } from '../onnx/running-statistics.ts';
import type { Student } from '../students/student.ts';
import type { Optimizer } from './optimizer.ts';
import {
  bufferNames,
  buildStepGraph,
  inlineWithParameters,
  type StepGraph,
  specOf,
  type TensorSpec,
} from './step-graph.ts';
import { updateUnits } from './update-units.ts';

export interface StepOptions {
  readonly student: Student;
  /** Numbers for the student's symbolic sizes: `{ batch: 128, sequence: 32 }`. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The loss is their weighted sum. */
  readonly terms: readonly ObjectiveTerm[];
  readonly optimizer: Optimizer;
  /** Gradients whose norm over all parameters is larger are scaled down to it; no limit when absent. */
  readonly maxGradNorm?: number;
}

/**
 * One training step as an ONNX model: forward, loss, backward, optimizer.
 *
 * Inputs: the parameters, the buffers and the optimizer's state by name, what a batch brings (`batchInputs`), and the
 * scalars `learning_rate` and `step` (float32 [], the first step is 1). Outputs: each parameter, buffer and state tensor
 * under its name + `/next`; `loss`, `loss/TERM` and `grad_norm` (before it is limited), float32 [].
 */
export interface CompiledStep {
  readonly graph: Graph;
  readonly parameters: readonly TensorSpec[];
  /** The running statistics of batch normalisations: they belong to the model, as parameters do, but nothing trains them. */
  readonly buffers: readonly TensorSpec[];
  readonly state: readonly TensorSpec[];
  readonly batchInputs: readonly TensorSpec[];
  readonly metrics: readonly string[];
}

export const NEXT = '/next';

/**
 * Compiles a training step. Throws LimbeckError `train.no-gradient` when an operator on the path has no rule,
 * `train.statistic-trained` when a running statistic is among the parameters.
 */
export function compileStep({ student, sizes, terms, optimizer, maxGradNorm }: StepOptions): CompiledStep {
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student));
  const { g, parameters, buffers } = step;
  const loss = g.scope('loss', () => totalLoss(g, step));
  const raw = g.scope('gradient', () => parameterGradients(step, loss));
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
  const update = g.scope(optimizer.kind, () => optimizer.prepare(g, scalars));
  const state: TensorSpec[] = [];
  units.forEach(({ name, value: before, split }, i) => {
    const slots = optimizer.slots.map((slot) =>
      g.input(stateName(optimizer, slot, name), 'float32', before.shape),
    );
    const next = g.scope(`${optimizer.kind}/${name}`, () => update(before, limited[i], slots));
    for (const { parameter, next: after } of split(next.parameter)) g.output(after, parameter.name + NEXT);
    next.state.forEach((value, s) => {
      g.output(value, slots[s].name + NEXT);
    });
    state.push(...slots.map(specOf));
  });

  for (const { value, next } of buffers) g.output(next, value.name + NEXT);
  g.output(loss, 'loss');
  for (const { term, loss: value } of step.terms) g.output(value, `loss/${term.name}`);
  g.output(norm, 'grad_norm');
  return {
    graph: nameOutputs(
      narrowSplits(
        mergeDuplicates(removeDeadNodes(lowerBatchNorm(removeIdentities(g.build('training-step'))))),
      ),
    ),
    parameters: parameters.map(specOf),
    buffers: buffers.map(({ value }) => specOf(value)),
    state,
    batchInputs: step.batchInputs,
    metrics: ['loss', ...step.terms.map(({ term }) => `loss/${term.name}`), 'grad_norm'],
  };
}

/**
 * A model that measures the terms of a loss on a batch: `loss/TERM` and `grad_norm/TERM`, the norm of the term's
 * weighted gradient over all parameters. It costs a backward pass per term, so it runs now and then, not every step.
 */
export function compileTermProbe(options: Pick<StepOptions, 'student' | 'sizes' | 'terms'>): Graph {
  const step = buildStepGraph(options.student, options.sizes, options.terms);
  const { g } = step;
  for (const { term, loss } of step.terms) {
    const gradient = g.scope(`gradient/${term.name}`, () => {
      return globalNorm(g, parameterGradients(step, g.mul(loss, term.weight)));
    });
    g.output(loss, `loss/${term.name}`);
    g.output(gradient, `grad_norm/${term.name}`);
  }
  return nameOutputs(removeDeadNodes(removeIdentities(g.build('term-probe'))));
}

/** The names of the parameters that the loss does not depend on. */
export function parametersWithoutGradient(
  options: Pick<StepOptions, 'student' | 'sizes' | 'terms'>,
): string[] {
  const step = buildStepGraph(options.student, options.sizes, options.terms);
  const found = gradients(step.g, totalLoss(step.g, step), step.parameters);
  return step.parameters.filter((_, i) => found[i] === null).map(({ name }) => name);
}

/**
 * The student's forward pass at a fixed size, in its evaluation form, with its parameters and buffers as inputs;
 * `outputs` are names of its values.
 */
export function compileForward(
  student: Student,
  sizes: Readonly<Record<string, number>>,
  outputs: readonly string[] = ['logits'],
): Graph {
  const g = new GraphBuilder();
  const parameters = [...student.parameters, ...bufferNames(student)];
  const { values } = inlineWithParameters(g, { graph: toEvaluationForm(student.graph), parameters }, sizes);
  for (const name of outputs) {
    const value = values.get(name);
    if (!value) throw new Error(`the student has no value ${name}`);
    g.output(value, name);
  }
  return nameOutputs(removeDeadNodes(removeIdentities(g.build('forward'))));
}

/** The running statistics of a student; none of them may be a parameter, for their gradient is zero. */
function untrainedStatistics({ graph, parameters }: Student): RunningStatistic[] {
  const statistics = runningStatistics(graph);
  const trained = statistics.map(({ value }) => value.name).filter((name) => parameters.includes(name));
  if (trained.length === 0) return statistics;
  throw new LimbeckError(
    'train.statistic-trained',
    `running statistics are no parameters: ${trained.join(', ')}`,
    {
      where: `the parameters of ${graph.name}`,
      remedy: 'Leave them out: a step hands them on by itself.',
    },
  );
}

/** The name of an optimizer's state tensor: `adamw/m/embedding/weight`. */
function stateName(optimizer: Optimizer, slot: string, parameter: string): string {
  return `${optimizer.kind}/${slot}/${parameter}`;
}

function totalLoss(g: GraphBuilder, { terms }: StepGraph): TypedValue {
  const weighted = terms.map(({ term, loss }) => (term.weight === 1 ? loss : g.mul(loss, term.weight)));
  if (weighted.length === 0) throw new Error('a training step needs at least one objective');
  return weighted.reduce((sum, value) => g.add(sum, value));
}

function parameterGradients({ g, parameters }: StepGraph, loss: TypedValue): TypedValue[] {
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

function globalNorm(g: GraphBuilder, values: readonly TypedValue[]): TypedValue {
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
