import { stringAttribute } from '../../onnx/graph.ts';
import { readEquation } from '../../onnx/shape-inference/einsum.ts';
import { expandLike } from '../broadcast.ts';
import { type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';

/**
 * The gradient of an operand is the Einsum of dy with the other operands, with the operand's letters as its result.
 * A letter that only this operand has was summed over: the gradient repeats along it.
 */
const einsum: GradientRule = (call) => {
  const { g } = call;
  const equation = stringAttribute(call.node, 'equation', '');
  const subscripts = readEquation(
    equation,
    call.inputs.map((_, i) => inputOf(call, i).shape.length),
  );
  if (!subscripts) throw new UnsupportedGradient(equation);
  const { operands, result } = subscripts;
  if ([...operands, result].some((letters) => new Set(letters).size < letters.length))
    throw new UnsupportedGradient(`the diagonal of ${equation}`);
  const dy = gradientOf(call);
  return operands.map((letters, i) => {
    if (!call.needs(i)) return null;
    const x = inputOf(call, i);
    const others = operands.flatMap((other, k) =>
      k === i ? [] : [{ letters: other, value: inputOf(call, k) }],
    );
    const elsewhere = [result, ...others.map((other) => other.letters)].join('');
    const kept = [...letters].filter((letter) => elsewhere.includes(letter)).join('');
    const reduced = g.op('Einsum', [dy, ...others.map((other) => other.value)], {
      equation: `${[result, ...others.map((other) => other.letters)].join(',')}->${kept}`,
    });
    if (kept === letters) return reduced;
    const missing = [...letters].flatMap((letter, axis) => (kept.includes(letter) ? [] : [axis]));
    return expandLike(g, g.unsqueeze(reduced, missing), x);
  });
};

export const EINSUM_RULES: Record<string, GradientRule> = { Einsum: einsum };
