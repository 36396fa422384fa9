import { intAttribute, type Node, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { formatShape, normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { range, reduceTo } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';
import { masked } from './mask.ts';

/**
 * A quantised value q stands for the number s (q - z). Its gradient is d loss / dq as if it were no whole number: that
 * of DequantizeLinear by its input is dy s, that of QuantizeLinear by its own dq / s. Rounding passes the gradient as it
 * is (straight-through: Bengio, Leonard and Courville 2013) and numbers beyond the range of q get none, as in PyTorch's
 * fake_quantize. Both together give the gradient by the scale of "Learned step size quantization" (Esser et al. 2020).
 */
const RANGES: Partial<Record<TypedValue['type'], readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
};

/** Operators that move quantised values as they are. */
const CARRIERS: ReadonlySet<string> = new Set([
  'Concat',
  'Expand',
  'Flatten',
  'Identity',
  'Reshape',
  'Slice',
  'Split',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

export function quantizes({ domain, opType }: Node): boolean {
  if (opType === 'QuantizeLinear') return domain === '' || domain === 'com.microsoft';
  return opType === 'DynamicQuantizeLinear' && domain === '';
}

export function movesQuantized({ domain, opType }: Node): boolean {
  return domain === '' && CARRIERS.has(opType);
}

/**
 * A scale or zero point as it broadcasts with x: a number, one for each place along `axis`, or (with `block_size`) one
 * for each block of them.
 */
function spread(call: GradientCall, value: TypedValue, x: TypedValue): TypedValue {
  const { g, node } = call;
  const rank = x.shape.length;
  if (value.shape.length === 0 || rank === 0) return g.reshape(value, []);
  if (value.shape.length === 1 && value.shape[0] === 1 && rank !== 1) return g.reshape(value, []);
  const axis = normalizeAxis(intAttribute(node, 'axis', 1), rank);
  const block = intAttribute(node, 'block_size', 0);
  if (block === 0) {
    if (value.shape.length !== 1)
      throw new UnsupportedGradient(`a scale of shape ${formatShape(value.shape)}`);
    return g.reshape(value, [-1, ...x.shape.slice(axis + 1).map(() => 1)]);
  }
  const [size, blocks] = [x.shape[axis], value.shape[axis]];
  if (typeof size !== 'number' || typeof blocks !== 'number' || value.shape.length !== rank)
    throw new UnsupportedGradient('blocks over a size that is not known');
  // Each block's value as often as the block is long; the last one may be cut.
  const places = g.ints(range(size).map((at) => Math.floor(at / block)));
  return g.gather(value, places, axis);
}

/** The gradient of a scale from that of what it was spread to. */
function gathered(
  call: GradientCall,
  scale: TypedValue,
  x: TypedValue,
  gradient: TypedValue,
): TypedValue | null {
  const { g } = call;
  const copy = g.identity(scale);
  const wide = spread(call, copy, x);
  const [result] = call.gradients(wide, [copy], reduceTo(g, gradient, wide));
  return result ?? null;
}

function zeroOf(
  call: GradientCall,
  index: number,
  x: TypedValue,
  type: TypedValue['type'],
): TypedValue | null {
  const zero = call.inputs[index];
  return zero ? call.g.cast(spread(call, zero, x), type) : null;
}

const minus = (g: GraphBuilder, a: TypedValue, b: TypedValue | null) => (b ? g.sub(a, b) : a);

const dequantizeLinear: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [q, scale] = [inputOf(call, 0), inputOf(call, 1)];
  const steps = () => minus(g, g.cast(q, dy.type), zeroOf(call, 2, q, dy.type));
  return [
    call.needs(0) ? g.mul(dy, spread(call, scale, q)) : null,
    call.needs(1) ? gathered(call, scale, q, g.mul(dy, steps())) : null,
  ];
};

const quantizeLinear: GradientRule = (call) => {
  const { g, node } = call;
  const dq = gradientOf(call);
  const [x, scale] = [inputOf(call, 0), inputOf(call, 1)];
  const type = node.outputs[0]?.type;
  const [low, high] = (type && RANGES[type]) ?? [];
  if (low === undefined || high === undefined) throw new UnsupportedGradient(`to ${type}`);
  const wide = spread(call, scale, x);
  const places = g.div(x, wide);
  const zero = zeroOf(call, 2, x, x.type);
  const rounded = zero ? g.add(g.op('Round', [places]), zero) : g.op('Round', [places]);
  const inside = g.and(g.greaterOrEqual(rounded, low), g.lessOrEqual(rounded, high));
  const passed = g.div(masked(g, dq, inside), wide);
  return [
    call.needs(0) ? passed : null,
    call.needs(1) ? gathered(call, scale, x, g.neg(g.mul(passed, places))) : null,
  ];
};

/** Its range is that of its input: nothing lies beyond it. Scale and zero point count as given. */
const dynamicQuantizeLinear: GradientRule = (call) => {
  const [dq] = call.outputGradients;
  const scale = call.outputs[1];
  if (!dq) return [];
  if (!scale) throw new UnsupportedGradient('its scale is no output');
  return [call.g.div(dq, scale)];
};

export const QUANTIZATION_RULES: Record<string, GradientRule> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  'com.microsoft::QuantizeLinear': quantizeLinear,
  'com.microsoft::DequantizeLinear': dequantizeLinear,
};
