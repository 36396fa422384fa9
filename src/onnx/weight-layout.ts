import { intAttribute, type Node } from './graph.ts';
import { elementCount } from './tensor.ts';

/** Which channels each element of a layer's weight joins. */
export interface WeightLayout {
  /** Channels that come out. */
  readonly outputs: number;
  readonly inputOf: (element: number) => number;
  readonly outputOf: (element: number) => number;
}

type LayoutRule = (node: Node, dims: readonly number[]) => WeightLayout;

/** [O, I / groups, kernel...] */
const conv: LayoutRule = (node, [outputs, inputs, ...kernel]) => {
  const size = elementCount(kernel);
  const perGroup = outputs / intAttribute(node, 'group', 1);
  const outputOf = (element: number) => Math.floor(element / (inputs * size));
  const inputOf = (element: number) =>
    Math.floor(outputOf(element) / perGroup) * inputs + (Math.floor(element / size) % inputs);
  return { outputs, inputOf, outputOf };
};

/** [I, O / groups, kernel...] */
const convTranspose: LayoutRule = (node, [inputs, outputs, ...kernel]) => {
  const size = elementCount(kernel);
  const groups = intAttribute(node, 'group', 1);
  const inputOf = (element: number) => Math.floor(element / (outputs * size));
  const outputOf = (element: number) =>
    Math.floor(inputOf(element) / (inputs / groups)) * outputs + (Math.floor(element / size) % outputs);
  return { outputs: outputs * groups, inputOf, outputOf };
};

/** [I, O], or [O, I] with transB. */
const matrix: LayoutRule = (node, [rows, columns]) => {
  const row = (element: number) => Math.floor(element / columns);
  const column = (element: number) => element % columns;
  return intAttribute(node, 'transB', 0) === 1
    ? { outputs: rows, inputOf: column, outputOf: row }
    : { outputs: columns, inputOf: row, outputOf: column };
};

const LAYOUTS: Readonly<Record<string, LayoutRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: matrix,
  MatMul: matrix,
};

/** The layout of the weight that a layer reads as its second input; undefined for other operators. */
export function weightLayout(node: Node, dims: readonly number[]): WeightLayout | undefined {
  return node.domain === '' && Object.hasOwn(LAYOUTS, node.opType)
    ? LAYOUTS[node.opType](node, dims)
    : undefined;
}
