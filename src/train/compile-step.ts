import { gradients } from '../autodiff/gradients.ts';
import { type Unreached, whyUnreached } from '../autodiff/why-unreached.ts';
import { LimbeckError } from '../errors.ts';
import type { ObjectiveInputs, ObjectiveTerm } from '../objectives/objective.ts';
import type { Formulations } from '../onnx/formulations.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { blockConvolutions } from '../onnx/passes/block-convolutions.ts';
import { channelsLast } from '../onnx/passes/channels-last.ts';
import { fuseTransposes } from '../onnx/passes/fuse-transposes.ts';
import { lowerBatchNorm } from '../onnx/passes/lower-batch-norm.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { narrowSplits } from '../onnx/passes/narrow-splits.ts';
import { positiveMasks } from '../onnx/passes/positive-masks.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { renameGeneratedConstants } from '../onnx/passes/rename-generated-constants.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import type { RunningStatistic } from '../onnx/running-statistics.ts';
import type { Student } from '../students/student.ts';
import type { StepWeighting } from '../weighting/weighting.ts';
import type { CarriedRole, CarriedTensor } from './carried.ts';
import type { Optimizer } from './optimizer.ts';
import {
  bufferNames,
  buildStepGraph,
  inlineWithParameters,
  type StepBuffer,
  type StepGraph,
  specOf,
  statisticsOf,
  type TensorSpec,
  trainedTensors,
} from './step-graph.ts';
import { totalLoss, weighTerms } from './step-loss.ts';
import { globalNorm, parameterGradients, trainedValues, updateParameters } from './update-parameters.ts';

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
  /** Whether a step may write over what it reads (`overwritable`), so that what is carried is in memory once; false when absent. */
  readonly overwrites?: boolean | undefined;
  /** How its convolutions are computed; the forms that do without a measurement when absent. */
  readonly formulations?: Formulations | undefined;
}

/**
 * One training step as an ONNX model: forward, loss, backward, optimizer.
 *
 * Inputs: what is `carried`, by name, what a batch brings (`batchInputs`), and the scalars `learning_rate` and `step`
 * (float32 [], the first step is 1). Outputs: what is carried, under its name + `/next`; `loss`, `loss/TERM`, what the
 * weighting tells, and `grad_norm` (before it is limited), float32 []; `rows/NAME`, float32 [batch], for what is observed.
 */
export interface CompiledStep {
  readonly graph: Graph;
  /** All that goes from step to step: parameters, auxiliary parameters, statistics, the optimizer's state. */
  readonly carried: readonly CarriedTensor[];
  readonly batchInputs: readonly TensorSpec[];
  /** What is fed to the loss's inputs, by name, where a term says it. */
  readonly meanings: ReadonlyMap<string, string>;
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
  const { student, sizes, terms } = options;
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student), options);
  const { g, buffers } = step;
  const weights = weighTerms(step, options.weighting);
  const loss = g.scope('loss', () => totalLoss(g, step, weights));
  const raw = g.scope('gradient', () => parameterGradients(step, loss));
  const { parameters, state, scalars, norm } = updateParameters(
    g,
    { ...options, afterGradients: options.overwrites },
    trainedValues(step),
    raw,
  );

  for (const { parameter, next } of parameters) g.output(next, parameter.name + NEXT);
  for (const { value, next } of state) g.output(next, value.name + NEXT);
  const own = new Set(
    [...Object.values(scalars), ...state.map(({ value }) => value)].map(({ name }) => name),
  );
  for (const { value, next } of buffers) g.output(next, value.name + NEXT);
  g.output(loss, 'loss');
  for (const { term, loss: value } of step.terms) g.output(value, `loss/${term.name}`);
  for (const [name, value] of weights?.metrics ?? []) g.output(value, name);
  g.output(norm, 'grad_norm');
  const rows = g.scope('rows', () => options.observe?.(g, step.inputs) ?? new Map<string, TypedValue>());
  for (const [name, value] of rows) g.output(value, `rows/${name}`);
  return {
    graph: forRunning(g.build('training-step'), options.formulations),
    carried: carriedBy(student, step, state),
    batchInputs: step.batchInputs().filter(({ name }) => !own.has(name)),
    meanings: step.meanings,
    metrics: [
      'loss',
      ...step.terms.map(({ term }) => `loss/${term.name}`),
      ...(weights?.metrics.keys() ?? []),
      'grad_norm',
    ],
    rowOutputs: [...rows.keys()].map((name) => `rows/${name}`),
  };
}

/** The passes over the graph of a step once all of its nodes are there. */
export function forRunning(graph: Graph, formulations?: Formulations): Graph {
  const masks = positiveMasks(graph);
  const lowered = formulations ? blockConvolutions(lowerBatchNorm(masks), formulations) : masks;
  const merged = mergeDuplicates(removeDeadNodes(lowerBatchNorm(removeIdentities(lowered))));
  const laid = channelsLast(fuseTransposes(narrowSplits(merged)), formulations?.block ?? 0);
  return nameOutputs(removeDeadNodes(laid));
}

/** What a step on a student hands on, with the first contents of all that does not begin as zeros. */
export function carriedBy(
  student: Student,
  { parameters, auxiliary, buffers }: StepGraph,
  state: readonly StepBuffer[],
): CarriedTensor[] {
  const own = trainedTensors(student);
  const ofStudent = (role: CarriedRole) => (value: TypedValue) => {
    const initial = own.get(value.name);
    return { spec: specOf(value), role, ...(initial ? { initial } : {}) };
  };
  return [
    ...parameters.map(ofStudent('parameter')),
    ...auxiliary.map(({ value, initial }) => ({ spec: specOf(value), role: 'auxiliary' as const, initial })),
    ...buffers.map(({ value }) => value).map(ofStudent('statistic')),
    ...state.map(({ value }) => ({ spec: specOf(value), role: 'state' as const })),
  ];
}

/**
 * A model that measures the terms of a loss on a batch: `loss/TERM` and `grad_norm/TERM`, the norm of the term's
 * weighted gradient over all parameters. It costs a backward pass per term, so it runs now and then, not every step.
 */
export function compileTermProbe(options: Pick<StepOptions, 'student' | 'sizes' | 'terms'>): Graph {
  const step = buildStepGraph(
    options.student,
    options.sizes,
    options.terms,
    untrainedStatistics(options.student),
  );
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

/** The parameters that get no gradient, and why. */
export function parametersWithoutGradient(
  options: Pick<StepOptions, 'student' | 'sizes' | 'terms'>,
): Unreached[] {
  const step = buildStepGraph(options.student, options.sizes, options.terms);
  const loss = totalLoss(step.g, step);
  const found = gradients(step.g, loss, step.parameters);
  const unreached = step.parameters.filter((_, i) => found[i] === null);
  const reasons = whyUnreached(step.g.nodes, loss, unreached);
  return unreached.map(({ name }, i) => ({ name, reason: (reasons[i] as string).replace("'student/", "'") }));
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
  return nameOutputs(renameGeneratedConstants(removeDeadNodes(removeIdentities(g.build('forward')))));
}

/** The running statistics of a student; none of them may be a parameter, for their gradient is zero. */
export function untrainedStatistics(student: Student): RunningStatistic[] {
  const { graph, parameters } = student;
  const statistics = statisticsOf(student);
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
