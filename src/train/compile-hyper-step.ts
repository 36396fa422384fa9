import { gradients } from '../autodiff/gradients.ts';
import { labelsTerm } from '../objectives/cross-entropy.ts';
import { meanLoss, type ObjectiveInputs, type ObjectiveTerm } from '../objectives/objective.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { lowerBatchNorm } from '../onnx/passes/lower-batch-norm.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { narrowSplits } from '../onnx/passes/narrow-splits.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import {
  COEFFICIENTS,
  coefficientVector,
  type DynamicWeightsOptions,
  dynamicWeights,
} from '../weighting/dynamic.ts';
import { type StepOptions, untrainedStatistics } from './compile-step.ts';
import { buildStepGraph, type StepGraph } from './step-graph.ts';
import { totalLoss, weighTerms } from './step-loss.ts';
import { parameterGradients, trainedValues, updateParameters } from './update-parameters.ts';

export interface HyperStepOptions
  extends Pick<StepOptions, 'student' | 'sizes' | 'terms' | 'optimizer' | 'maxGradNorm' | 'seed'> {
  readonly weights: DynamicWeightsOptions;
  /** The loss on the validation batch; the cross-entropy with its labels when absent. */
  readonly validationTerms?: readonly ObjectiveTerm[];
}

/** Inputs of a validation batch have it before their names. */
export const VALIDATION = 'validation/';

/**
 * The gradient of the validation loss through one training step: d L_val(theta') / d (alpha, beta, gamma), where theta'
 * is what the step makes of the parameters on a training batch, with the optimizer's update as it is: its averages, its
 * preconditioner, weight decay and the limit of the norm. It is exact for this one step; what a step changes for later
 * ones is left out.
 *
 * Inputs: those of the training step, and `validation/NAME` for each input of the student and of the validation
 * loss (`validation/labels`, `validation/row_weights`), of the same sizes. Outputs: `validation_loss`, at theta', float32 [];
 * `gradient/alpha`, `gradient/beta`, `gradient/gamma`, float32 [terms]; `effect/TERM`, float32 []: by how much the
 * validation loss is lower for the term's part of the step, to first order.
 *
 * Franceschi et al., "Bilevel Programming for Hyperparameter Optimization and Meta-Learning" (2018), equation 5, with one
 * step (T = 1) from the present parameters; as Ren et al., "Learning to Reweight Examples for Robust Deep Learning"
 * (2018), equations 5 to 7, and Liu, Simonyan and Yang, "DARTS" (2019), equation 6.
 */
export function compileHyperStep(options: HyperStepOptions): Graph {
  const { student, sizes, terms } = options;
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student), {
    seed: options.seed ?? 0,
  });
  const { g } = step;
  const weights = weighTerms(step, dynamicWeights(options.weights));
  if (!weights) throw new Error('there are no weights to train');
  const loss = g.scope('loss', () => totalLoss(g, step, weights));
  const raw = g.scope('gradient', () => parameterGradients(step, loss));
  const { parameters } = updateParameters(g, { ...options, smooth: true }, trainedValues(step), raw);
  const validation = g.scope('validation', () =>
    validationLoss(step, student.graph, parameters, options.validationTerms ?? [labelsTerm({ weight: 1 })]),
  );

  const coefficients = COEFFICIENTS.map((name) =>
    coefficientVector(step.inputs, name, options.weights.names.length),
  );
  const found = g.scope('hypergradient', () =>
    gradients(g, validation, [...coefficients, ...weights.factors]),
  );
  g.output(validation, 'validation_loss');
  COEFFICIENTS.forEach((name, i) => {
    g.output(found[i] ?? g.mul(coefficients[i] as TypedValue, 0), `gradient/${name}`);
  });
  step.terms.forEach(({ term }, i) => {
    const factor = weights.factors[i] as TypedValue;
    const slope = found[COEFFICIENTS.length + i];
    const change = slope ? g.reduceSum(g.mul(slope, factor), { keepDims: false }) : g.scalar(0);
    g.output(g.neg(change), `effect/${term.name}`);
  });
  return nameOutputs(
    narrowSplits(mergeDuplicates(removeDeadNodes(lowerBatchNorm(removeIdentities(g.build('hyper-step')))))),
  );
}

/** The loss of a second copy of the student, with the parameters after the step, on a batch of its own. */
function validationLoss(
  { g, inputs }: StepGraph,
  student: Graph,
  updated: readonly { readonly parameter: TypedValue; readonly next: TypedValue }[],
  terms: readonly ObjectiveTerm[],
): TypedValue {
  const given = student.inputs.map(({ name }) => {
    const { type, shape } = inputs.student(name);
    return [name, inputs.input(VALIDATION + name, type, shape as number[])] as const;
  });
  const after = updated.map(({ parameter, next }) => [parameter.name, next] as const);
  const held = heldOut(inputs, inputs.rerun(new Map([...given, ...after])), new Map(given));
  const losses = terms.map((term) => {
    const loss = meanLoss(g, term.build(g, held));
    return term.weight === 1 ? loss : g.mul(loss, term.weight);
  });
  return losses.reduce((sum, loss) => g.add(sum, loss));
}

/** The same step seen by a loss over the validation batch: its own student, labels and answers. */
function heldOut(
  inputs: ObjectiveInputs,
  values: (name: string) => TypedValue,
  given: ReadonlyMap<string, TypedValue>,
): ObjectiveInputs {
  const input: ObjectiveInputs['input'] = (name, ...spec) => inputs.input(VALIDATION + name, ...spec);
  const batch = () => [...given.values()][0]?.shape[0] as number;
  return {
    ...inputs,
    student: (name) => given.get(name) ?? values(name),
    input,
    labels: () => input('labels', 'int32', [batch()]),
    rowWeights: () => input('row_weights', 'float32', [batch()]),
    knowledge(tap, dims) {
      if (dims.some((dim) => typeof dim === 'string')) throw new Error(`the validation loss asks for ${tap}`);
      return input(`knowledge/${tap}`, 'float32', [batch(), ...(dims as number[])]);
    },
    rerun() {
      throw new Error('the validation loss runs the student once');
    },
  };
}
