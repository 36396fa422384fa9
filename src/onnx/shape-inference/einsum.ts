import { type Dim, stringAttribute } from '../graph.ts';
import { formatShape, type InferenceRule, inputAt, requireEqualDims, ShapeError } from './rule.ts';

/** The subscripts of an Einsum: a letter per axis of every operand and of the result. */
export interface Subscripts {
  readonly operands: readonly string[];
  readonly result: string;
}

/** Reads an equation such as `bhqd,bhkd->bhqk`; undefined for one with an ellipsis. */
export function readEquation(equation: string): Subscripts | undefined {
  if (equation.includes('.')) return undefined;
  const [left, right] = equation.replaceAll(' ', '').split('->');
  const operands = left.split(',');
  if (right !== undefined) return { operands, result: right };
  // Without an arrow the result has the letters that occur once, in alphabetical order.
  const letters = [...operands.join('')];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return { operands, result: once.sort().join('') };
}

const einsum: InferenceRule = (context) => {
  const equation = stringAttribute(context, 'equation', '');
  const subscripts = readEquation(equation);
  if (!subscripts) throw new ShapeError(`Einsum with an ellipsis: ${equation}`);
  if (subscripts.operands.length !== context.inputs.length)
    throw new ShapeError(`Einsum ${equation} of ${context.inputs.length} inputs`);
  const sizes = new Map<string, Dim>();
  subscripts.operands.forEach((letters, i) => {
    const { shape } = inputAt(context, i);
    if (shape.length !== letters.length)
      throw new ShapeError(`Einsum ${equation}: ${letters} for the shape ${formatShape(shape)}`);
    [...letters].forEach((letter, axis) => {
      const known = sizes.get(letter);
      if (known === undefined || typeof known === 'string') sizes.set(letter, shape[axis]);
      else requireEqualDims(known, shape[axis], `Einsum ${equation}, axis ${letter}`);
    });
  });
  const shape = [...subscripts.result].map((letter) => {
    const dim = sizes.get(letter);
    if (dim === undefined) throw new ShapeError(`Einsum ${equation}: no operand has ${letter}`);
    return dim;
  });
  return [{ type: inputAt(context, 0).type, shape }];
};

export const EINSUM_RULES: Record<string, InferenceRule> = { Einsum: einsum };
