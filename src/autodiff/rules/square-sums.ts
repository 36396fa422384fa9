import { isFloat } from '../../onnx/data-type.ts';
import type { Node, TypedValue, Value } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { toNumbers } from '../../onnx/tensor.ts';
import { producerOf } from '../producers.ts';

/** Operators through which a sum of squares stays one: input 0 alone counts. */
const PASSING: ReadonlySet<string> = new Set([
  'AveragePool',
  'Cast',
  'Expand',
  'Flatten',
  'Gather',
  'GlobalAveragePool',
  'Identity',
  'ReduceMean',
  'ReduceSum',
  'Relu',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/** How many operators are looked at. */
const MAX_LOOKS = 64;

/**
 * Whether a value is a sum (or mean) of squares or magnitudes, perhaps scaled: what exporters write for a norm, a
 * standard deviation, a distance, and what is held above 0 by a Clip or Relu. It is 0 only where all of it is 0, and
 * there PyTorch's own operators (norm, std, cdist, normalize) give the gradient 0 to the root of it, not one without end.
 */
export function isSquareSum(g: GraphBuilder, value: Value): boolean {
  let looks = 0;
  const look = (at: Value | null | undefined): boolean => {
    if (!at || ++looks > MAX_LOOKS) return false;
    const node = producerOf(g, at);
    return node?.domain === '' && holdsSquares(g, node, look);
  };
  return look(value);
}

function holdsSquares(
  g: GraphBuilder,
  node: Node,
  below: (value: Value | null | undefined) => boolean,
): boolean {
  const [a, b] = node.inputs;
  switch (node.opType) {
    case 'Abs':
    case 'ReduceL1':
    case 'ReduceL2':
    case 'ReduceSumSquare':
      return true;
    case 'Relu':
      return true;
    case 'Pow':
      return isEven(g, b) || below(a);
    case 'Mul':
      return a === b || (isCount(g, b) && below(a)) || (isCount(g, a) && below(b));
    case 'Div':
      return isCount(g, b) && below(a);
    case 'Add':
      return below(a) && below(b);
    case 'Sum':
    case 'Mean':
    case 'Concat':
      return node.inputs.every(below);
    case 'Clip':
      return isZero(g, node) || below(a);
    case 'Max':
      return node.inputs.some((input) => input && onlyNumber(g, input) === 0);
    default:
      return PASSING.has(node.opType) && below(a);
  }
}

function isZero(g: GraphBuilder, node: Node): boolean {
  const low = node.inputs[1];
  if (low) return onlyNumber(g, low) === 0;
  const attribute = node.attributes.get('min');
  return attribute?.kind === 'float' && attribute.value === 0;
}

function isEven(g: GraphBuilder, exponent: Value | null | undefined): boolean {
  const number = exponent ? onlyNumber(g, exponent) : undefined;
  return number !== undefined && number > 0 && number % 2 === 0;
}

/** A number that is constant, or computed from sizes: n, n - 1. */
function isCount(g: GraphBuilder, value: Value | null | undefined, depth = 0): boolean {
  if (!value || depth > 4) return false;
  if (onlyNumber(g, value) !== undefined) return true;
  const node = producerOf(g, value);
  if (node?.opType === 'Cast') return node.inputs[0]?.type !== undefined && !isFloat(node.inputs[0].type);
  const counts = node?.opType === 'Sub' || node?.opType === 'Max' || node?.opType === 'Identity';
  return counts && node.inputs.every((input) => isCount(g, input, depth + 1));
}

function onlyNumber(g: GraphBuilder, value: Value): number | undefined {
  const content = g.constantOf(value);
  return content?.data.length === 1 ? toNumbers(content)[0] : undefined;
}

/** `slope`, or 0 where the value that it is a slope of is 0. */
export function zeroAtZero(
  g: GraphBuilder,
  value: TypedValue,
  slope: (safe: TypedValue) => TypedValue,
): TypedValue {
  const zero = g.equal(value, 0);
  return g.where(zero, 0, slope(g.where(zero, 1, value)));
}
