import { type Dim, stringAttribute } from '../graph.ts';
import { formatShape, type InferenceRule, inputAt, requireEqualDims, ShapeError } from './rule.ts';

/** The subscripts of an Einsum: a letter per axis of every operand and of the result. */
export interface Subscripts {
  readonly operands: readonly string[];
  readonly result: string;
}

/**
 * Reads an equation such as `bhqd,bhkd->bhqk` for operands of these ranks. The axes of an ellipsis get letters that
 * nothing else has, the same ones from the last axis on; undefined where there are not enough.
 */
export function readEquation(equation: string, ranks: readonly number[]): Subscripts | undefined {
  const written = equation.replaceAll(' ', '');
  const spelled = written.includes('...') ? spellEllipsis(written, ranks) : written;
  if (spelled === undefined) return undefined;
  const [left, right] = spelled.split('->');
  const operands = left.split(',');
  if (right !== undefined) return { operands, result: right };
  // Without an arrow the result has the letters that occur once, in alphabetical order.
  const letters = [...operands.join('')];
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return { operands, result: once.sort().join('') };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function spellEllipsis(equation: string, ranks: readonly number[]): string | undefined {
  const [left, right] = equation.split('->');
  const operands = left.split(',');
  const widths = operands.map((letters, i) =>
    letters.includes('...') ? (ranks[i] ?? 0) - (letters.length - 3) : 0,
  );
  const most = Math.max(...widths);
  const free = [...LETTERS].filter((letter) => !equation.includes(letter)).slice(0, most);
  if (free.length < most || widths.some((width) => width < 0)) return undefined;
  const last = (count: number) => free.slice(most - count).join('');
  const spelled = operands.map((letters, i) => letters.replace('...', last(widths[i] as number)));
  // Without an arrow the axes of the ellipsis come first in the result.
  const once = [...left.replaceAll(/[.,]/g, '')].filter(
    (letter, _, all) => all.indexOf(letter) === all.lastIndexOf(letter),
  );
  const result = right === undefined ? last(most) + once.sort().join('') : right.replace('...', last(most));
  return `${spelled.join(',')}->${result}`;
}

const einsum: InferenceRule = (context) => {
  const equation = stringAttribute(context, 'equation', '');
  const ranks = context.inputs.map((_, i) => inputAt(context, i).shape.length);
  const subscripts = readEquation(equation, ranks);
  if (!subscripts) throw new ShapeError(`Einsum ${equation} does not fit ranks ${ranks.join(' and ')}`);
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
