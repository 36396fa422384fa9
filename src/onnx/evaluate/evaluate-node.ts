import { intAttribute, type Node } from '../graph.ts';
import { int64, type Tensor } from '../tensor.ts';
import { CAST } from './cast.ts';
import { CREATION } from './creation.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { Declined, type Evaluator } from './evaluator.ts';
import { MOVEMENT } from './movement.ts';
import { REDUCTION } from './reduction.ts';

const EVALUATORS = new Map<string, Evaluator>(
  Object.entries({ ...CREATION, ...ELEMENTWISE, ...CAST, ...MOVEMENT, ...REDUCTION }),
);

export interface EvaluateOptions {
  /** Results with more elements are not computed; 65,536 by default. */
  maxElements?: number;
  /** What all calls together may read and write; without it there is no limit. */
  budget?: EvaluationBudget;
}

/** Elements that may still be read and written: a small file may ask for any number of large constants. */
export interface EvaluationBudget {
  elements: number;
}

/**
 * The outputs of a node whose inputs are known, or undefined when it is not computed here: an operator that we do
 * not evaluate, an unknown input, a result that is too large, or a node that is wrong. What is computed has the
 * bits that ONNX Runtime gives. Shape and Size need only the static shape of their input's value.
 *
 * For standard operators from opset 7 on (before, broadcasting had other rules).
 *
 * @param inputs constants by position; null for a missing optional input, undefined for a value not known
 */
export function evaluateNode(
  node: Node,
  inputs: readonly (Tensor | null | undefined)[],
  options: EvaluateOptions = {},
): readonly Tensor[] | undefined {
  if (node.domain !== '') return undefined;
  if (node.opType === 'Shape' || node.opType === 'Size') return evaluateShape(node, inputs[0] ?? undefined);
  const evaluator = EVALUATORS.get(node.opType);
  if (!evaluator || inputs.includes(undefined)) return undefined;
  const { budget } = options;
  if (budget) {
    for (const input of inputs) budget.elements -= input?.data.length ?? 0;
    if (budget.elements <= 0) return undefined;
  }
  try {
    const results = evaluator(node, inputs as readonly (Tensor | null)[], {
      maxElements: Math.min(options.maxElements ?? 65_536, budget?.elements ?? Number.POSITIVE_INFINITY),
    });
    if (budget) for (const { data } of results) budget.elements -= data.length;
    return results;
  } catch (error) {
    if (error instanceof Declined) return undefined;
    throw error;
  }
}

function evaluateShape(node: Node, input: Tensor | undefined): readonly Tensor[] | undefined {
  const shape = input?.dims ?? node.inputs[0]?.shape;
  if (!shape) return undefined;
  if (node.opType === 'Size') {
    const dims = knownDims(shape);
    return dims && [int64([dims.reduce((product, dim) => product * dim, 1)], [])];
  }
  // From opset 15 on a Shape can be of some axes only; slice() has the same rules for negative positions.
  const end = node.attributes.has('end') ? intAttribute(node, 'end', 0) : shape.length;
  const dims = knownDims(shape.slice(intAttribute(node, 'start', 0), end));
  return dims && [int64(dims)];
}

function knownDims(shape: readonly (number | string)[]): number[] | undefined {
  return shape.every((dim) => typeof dim === 'number') ? [...shape] : undefined;
}
