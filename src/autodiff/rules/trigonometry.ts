import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { thin } from '../broadcast.ts';
import { type GradientRule, gradientOf, inputOf, outputOf } from '../rule.ts';

/** dx = dy * slope(x, y). */
function bySlope(slope: (g: GraphBuilder, x: TypedValue, y: () => TypedValue) => TypedValue): GradientRule {
  return (call) => [
    call.g.mul(
      thin(gradientOf(call)),
      slope(call.g, inputOf(call, 0), () => outputOf(call)),
    ),
  ];
}

/** 1 / sqrt(v). At the ends of their ranges the inverse functions have infinite slopes. */
const overRoot = (g: GraphBuilder, value: TypedValue) => g.reciprocal(g.sqrt(value));

export const TRIGONOMETRY_RULES: Record<string, GradientRule> = {
  Sin: bySlope((g, x) => g.cos(x)),
  Cos: bySlope((g, x) => g.neg(g.sin(x))),
  Tan: bySlope((g, _, y) => g.add(g.square(y()), 1)),
  Asin: bySlope((g, x) => overRoot(g, g.sub(1, g.square(x)))),
  Acos: bySlope((g, x) => g.neg(overRoot(g, g.sub(1, g.square(x))))),
  Atan: bySlope((g, x) => g.reciprocal(g.add(g.square(x), 1))),
  Sinh: bySlope((g, x) => g.op('Cosh', [x])),
  Cosh: bySlope((g, x) => g.op('Sinh', [x])),
  Asinh: bySlope((g, x) => overRoot(g, g.add(g.square(x), 1))),
  Acosh: bySlope((g, x) => overRoot(g, g.sub(g.square(x), 1))),
  Atanh: bySlope((g, x) => g.reciprocal(g.sub(1, g.square(x)))),
};
