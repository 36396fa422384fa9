import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ObjectiveInputs, ObjectiveTerm } from './objective.ts';

/** Inputs of a step: how important a parameter was for earlier tasks, and what it was; of the parameter's shape. */
export const importanceInput = (parameter: string) => `ewc/importance/${parameter}`;
export const anchorInput = (parameter: string) => `ewc/anchor/${parameter}`;

/**
 * sum over all parameters of F / 2 (theta - theta*)^2: a scalar. The more an earlier task depended on a parameter, the
 * stiffer the spring that holds it.
 *
 * Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks" (2017), equation 3. Its springs of several
 * tasks are one here: sum_t F_t (theta - theta_t)^2 and F (theta - a)^2 with F = sum_t F_t and a = sum_t F_t theta_t / F
 * differ by what does not depend on theta.
 *
 * @param options.weight lambda
 * @param options.parameters the names of the student's parameters
 */
export function ewcTerm(options: { weight: number; parameters: readonly string[] }): ObjectiveTerm {
  return {
    name: 'ewc',
    weight: options.weight,
    build(g, inputs) {
      const springs = options.parameters.map((name) => springOf(g, inputs, name));
      return g.mul(
        springs.reduce((sum, value) => g.add(sum, value)),
        0.5,
      );
    },
  };
}

function springOf(g: GraphBuilder, inputs: ObjectiveInputs, name: string): TypedValue {
  const parameter = inputs.student(name);
  const dims = parameter.shape as number[];
  const moved = g.sub(parameter, inputs.input(anchorInput(name), 'float32', dims));
  const importance = inputs.input(importanceInput(name), 'float32', dims);
  return g.reduceSum(g.mul(importance, g.square(moved)), { keepDims: false });
}
