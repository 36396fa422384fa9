import { float } from '../../onnx/attributes.ts';
import { stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { type GradientRule, UnsupportedGradient } from '../rule.ts';
import { byFormula, type Formula } from './by-formula.ts';

/** The activations that ONNX Runtime fuses into a convolution, with the parameters that it keeps for them. */
const ACTIVATIONS: Readonly<
  Record<string, (g: GraphBuilder, x: TypedValue, params: readonly number[]) => TypedValue>
> = {
  Relu: (g, x) => g.relu(x),
  Tanh: (g, x) => g.tanh(x),
  Sigmoid: (g, x) => g.sigmoid(x),
  LeakyRelu: (g, x, [alpha]) => g.op('LeakyRelu', [x], { alpha: float(alpha) }),
  Clip: (g, x, [low, high]) => g.clip(x, low, high),
  HardSigmoid: (g, x, [alpha, beta]) => g.op('HardSigmoid', [x], { alpha: float(alpha), beta: float(beta) }),
};

/** activation(Conv(x, w, b) + z): what ONNX Runtime makes of a convolution and what follows it. */
const fusedConv: Formula = (g, node, [x, w, b, z]) => {
  const attributes = Object.fromEntries(
    [...node.attributes].filter(([name]) => name !== 'activation' && name !== 'activation_params'),
  );
  const convolved = g.op('Conv', [x, w, b ?? null], attributes);
  const sum = z ? g.add(convolved, z) : convolved;
  const name = stringAttribute(node, 'activation', '');
  if (name === '') return sum;
  const activation = ACTIVATIONS[name];
  if (!activation) throw new UnsupportedGradient(`activation ${name}`);
  const params = node.attributes.get('activation_params');
  return activation(g, sum, params?.kind === 'floats' ? params.value : []);
};

export const FUSED_CONVOLUTION_RULES: Record<string, GradientRule> = {
  'com.microsoft::FusedConv': byFormula(fusedConv),
};
