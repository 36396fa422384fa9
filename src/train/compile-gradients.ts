import type { Graph, TypedValue } from '../onnx/graph.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { usedValues } from '../onnx/used-values.ts';
import type { CarriedTensor } from './carried.ts';
import { carriedBy, forRunning, NEXT, type StepOptions, untrainedStatistics } from './compile-step.ts';
import { buildStepGraph, type StepGraph, type TensorSpec } from './step-graph.ts';
import { termLoss, totalLoss, weighTerms } from './step-loss.ts';
import { parameterGradients, trainedValues } from './update-parameters.ts';

export type GradientOptions = Omit<StepOptions, 'optimizer' | 'maxGradNorm'>;

/**
 * The first half of a step, for a part of a batch: forward, loss, backward. The parts may come one after another or be
 * computed in several processes; what they give adds up to what a step on the whole batch computes (`compileUpdate` is the
 * second half). Losses that compare the samples of a batch with each other see those of their part alone.
 *
 * `counts`, a model of its own, tells how much of each term is in a part: inputs of the batch; outputs `count/TERM` and
 * `count/rows`, float32 []. They have to be summed over all parts before any gradient is computed. It is null where no term
 * has a count.
 *
 * `graph`: inputs are parameters, auxiliary parameters, statistics, what a batch brings (`batchInputs`), `count/TERM` of the
 * whole batch, `share` (float32 [], the part's rows by those of the whole), and `gradient/NAME`, the sum over the parts
 * before. Outputs: `gradient/NAME/next`, the same with this part; the statistics under their name + `/next`; `loss`,
 * `loss/TERM` and what the weighting tells, each this part's addition to that of the whole; `rows/NAME`.
 */
export interface CompiledGradients {
  readonly graph: Graph;
  readonly counts: Graph | null;
  /** The outputs of `counts`, and inputs of `graph` but for `count/rows`. */
  readonly countNames: readonly string[];
  /** Parameters, auxiliary parameters and statistics. */
  readonly carried: readonly CarriedTensor[];
  readonly batchInputs: readonly TensorSpec[];
  readonly metrics: readonly string[];
  readonly rowOutputs: readonly string[];
}

/** The rows of a part: what it is of the whole is told by them. */
export const ROWS = 'count/rows';
export const SHARE = 'share';

/** The input that has the sum of a trained tensor's gradients. */
export const gradientName = (trained: string) => `gradient/${trained}`;

/** Compiles the first half of a step. Throws what `compileStep` throws. */
export function compileGradients(options: GradientOptions): CompiledGradients {
  const { student, sizes, terms } = options;
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student), options);
  const { g, buffers } = step;
  const weights = weighTerms(step, options.weighting);
  const own = new Set<string>();
  const scalar = (name: string) => {
    own.add(name);
    return g.input(name, 'float32', []);
  };
  const share = scalar(SHARE);
  const counts = new Map(
    step.terms.flatMap(({ term, summed }) => (summed ? [[term.name, scalar(countName(term.name))]] : [])),
  );
  const part = { counts, share };
  const loss = g.scope('loss', () => totalLoss(g, step, weights, part));
  const found = g.scope('gradient', () => parameterGradients(step, loss));
  trainedValues(step).forEach((value, i) => {
    const name = gradientName(value.name);
    own.add(name);
    const before = g.input(name, 'float32', value.shape);
    g.output(g.add(before, found[i] as TypedValue), name + NEXT);
  });
  for (const { value, next } of buffers) g.output(next, value.name + NEXT);
  g.output(loss, 'loss');
  for (const term of step.terms) g.output(termLoss(g, term, part), `loss/${term.term.name}`);
  for (const [name, value] of weights?.metrics ?? []) g.output(g.mul(value, share), name);
  const rows = g.scope('rows', () => options.observe?.(g, step.inputs) ?? new Map<string, TypedValue>());
  for (const [name, value] of rows) g.output(value, `rows/${name}`);
  return {
    graph: forRunning(g.build('training-gradients'), options.formulations),
    ...compileCounts(options),
    carried: carriedBy(student, step, []),
    batchInputs: step.batchInputs().filter(({ name }) => !own.has(name)),
    metrics: [
      'loss',
      ...step.terms.map(({ term }) => `loss/${term.name}`),
      ...(weights?.metrics.keys() ?? []),
    ],
    rowOutputs: [...rows.keys()].map((name) => `rows/${name}`),
  };
}

function compileCounts(options: GradientOptions): Pick<CompiledGradients, 'counts' | 'countNames'> {
  const { student, sizes, terms } = options;
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student), options);
  const { g } = step;
  const counts = new Map(
    step.terms.flatMap(({ term, summed }) => (summed ? [[countName(term.name), summed.count]] : [])),
  );
  const rows = rowWeightsOf(step);
  if (rows) counts.set(ROWS, g.reduceSum(rows, { keepDims: false }));
  if (counts.size === 0) return { counts: null, countNames: [] };
  for (const [name, value] of counts) g.output(value, name);
  const graph = nameOutputs(mergeDuplicates(removeDeadNodes(removeIdentities(g.build('training-counts')))));
  return { counts: withUsedInputs(graph), countNames: [...counts.keys()] };
}

/** By what rows count, if a term asks for it; those of an output where none is about the whole row. */
function rowWeightsOf({ g }: StepGraph): TypedValue | undefined {
  const weights = g.inputs.filter(({ name }) => /^row_weights(\/|$)/.test(name));
  return weights.find(({ name }) => name === 'row_weights') ?? weights[0];
}

function countName(term: string): string {
  return `count/${term}`;
}

/** Counts need no more of a batch than labels and weights. */
function withUsedInputs(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((node) => [...usedValues(node)]));
  for (const output of graph.outputs) used.add(output);
  return { ...graph, inputs: graph.inputs.filter((value) => used.has(value)) };
}
