import { gradients } from '../autodiff/gradients.ts';
import { LimbeckError } from '../errors.ts';
import { type ObjectiveInputs, type ObjectiveTerm, weightedMean } from '../objectives/objective.ts';
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
import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import type { StepWeighting, TermWeights } from '../weighting/weighting.ts';
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
  /** How strongly each term counts in a step, besides its own weight. */
  readonly weighting?: StepWeighting;
  /** What is told of each row besides the losses: float32 [batch], by name. */
  observe?(g: GraphBuilder, inputs: ObjectiveInputs): ReadonlyMap<string, TypedValue>;
  /** Where the first contents of auxiliary parameters come from; 0 by default. */
  readonly seed?: number;
}

/**
 * One training step as an ONNX model: forward, loss, backward, optimizer.
 *
 * Inputs: the parameters, the buffers and the optimizer's state by name, what a batch brings (`batchInputs`), and the
 * scalars `learning_rate` and `step` (float32 [], the first step is 1). Outputs: each parameter, buffer and state tensor
 * under its name + `/next`; `loss`, `loss/TERM`, what the weighting tells, and `grad_norm` (before it is limited),
 * float32 []; `rows/NAME`, float32 [batch], for what is observed.
 */
export interface CompiledStep {
  readonly graph: Graph;
  readonly parameters: readonly TensorSpec[];
  /** Parameters that terms brought, with their first contents: trained as the others, but no part of the model. */
  readonly auxiliary: readonly { readonly spec: TensorSpec; readonly initial: Tensor }[];
  /** The running statistics of batch normalisations: they belong to the model, as parameters do, but nothing trains them. */
  readonly buffers: readonly TensorSpec[];
  readonly state: readonly TensorSpec[];
  readonly batchInputs: readonly TensorSpec[];
  readonly metrics: readonly string[];
  /** Names of the outputs that tell something of each row. */
  readonly rowOutputs: readonly string[];
}

export const NEXT = '/next';

/**
 * Compiles a training step. Throws LimbeckError `train.no-gradient` when an operator on the path has no rule,
 * `train.statistic-trained` when a running statistic is among the parameters.
 */
export function compileStep(options: StepOptions): CompiledStep {
  const { student, sizes, terms, optimizer, maxGradNorm } = options;
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student), options.seed);
  const { g, buffers } = step;
  const weights = weigh(step, options.weighting);
  const loss = g.scope('loss', () => totalLoss(g, step, weights));
  const parameters = trainedValues(step);
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

  const own = new Set([...Object.values(scalars).map(({ name }) => name), ...state.map(({ name }) => name)]);
  for (const { value, next } of buffers) g.output(next, value.name + NEXT);
  g.output(loss, 'loss');
  for (const { term, loss: value } of step.terms) g.output(value, `loss/${term.name}`);
  for (const [name, value] of weights?.metrics ?? []) g.output(value, name);
  g.output(norm, 'grad_norm');
  const rows = g.scope('rows', () => options.observe?.(g, step.inputs) ?? new Map<string, TypedValue>());
  for (const [name, value] of rows) g.output(value, `rows/${name}`);
  return {
    graph: nameOutputs(
      narrowSplits(
        mergeDuplicates(removeDeadNodes(lowerBatchNorm(removeIdentities(g.build('training-step'))))),
      ),
    ),
    parameters: step.parameters.map(specOf),
    auxiliary: step.auxiliary.map(({ value, initial }) => ({ spec: specOf(value), initial })),
    buffers: buffers.map(({ value }) => specOf(value)),
    state,
    batchInputs: step.batchInputs().filter(({ name }) => !own.has(name)),
    metrics: [
      'loss',
      ...step.terms.map(({ term }) => `loss/${term.name}`),
      ...(weights?.metrics.keys() ?? []),
      'grad_norm',
    ],
    rowOutputs: [...rows.keys()].map((name) => `rows/${name}`),
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
      return globalNorm(
        g,
        parameterGradients(step, g.mul(loss, term.weight)).slice(0, step.parameters.length),
      );
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

/** What the optimizer updates: the student's parameters, then the auxiliary ones. */
function trainedValues({ parameters, auxiliary }: StepGraph): TypedValue[] {
  return [...parameters, ...auxiliary.map(({ value }) => value)];
}

function weigh(step: StepGraph, weighting: StepWeighting | undefined): TermWeights | undefined {
  const { g, terms, inputs } = step;
  const weighed = terms.map(({ term, loss, rows }) => ({ ...term, loss, rows }));
  return weighting && g.scope('weighting', () => weighting.weigh(g, weighed, inputs));
}

/** The sum of the terms, each by its own weight and its factor; a factor for each row weighs its rows. */
function totalLoss(g: GraphBuilder, { terms }: StepGraph, weights?: TermWeights): TypedValue {
  const weighted = terms.map(({ term, loss, rows }, i) => {
    const factor = weights?.factors[i];
    const value = !factor
      ? loss
      : rows && factor.shape.length === 1
        ? weightedMean(g, g.mul(rows.values, factor), rows.weights)
        : g.mul(loss, factor);
    return term.weight === 1 ? value : g.mul(value, term.weight);
  });
  if (weighted.length === 0) throw new Error('a training step needs at least one objective');
  const sum = weighted.reduce((sum, value) => g.add(sum, value));
  return weights?.penalty ? g.add(sum, weights.penalty) : sum;
}

function parameterGradients(step: StepGraph, loss: TypedValue): TypedValue[] {
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
