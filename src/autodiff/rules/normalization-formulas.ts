import { floatAttribute, intAttribute, intsAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { range } from '../broadcast.ts';
import { asOperand, countAlong, product, reshapeTo, sizesOf } from '../sizes.ts';
import { byFormula, type Formula } from './by-formula.ts';
import { inFloat32 } from './in-float32.ts';
import { zeroAtZero } from './square-sums.ts';

/** (x - mean) / deviation over the last axis of [N, G, n]. */
function standardized(g: GraphBuilder, rows: TypedValue, epsilon: number): TypedValue {
  const centred = g.sub(rows, g.reduceMean(rows, { axes: [2] }));
  const variance = g.reduceMean(g.square(centred), { axes: [2] });
  return g.div(centred, g.sqrt(g.add(variance, epsilon)));
}

/** A value per channel [C] beside x [N, C, ...]. */
function perChannel(g: GraphBuilder, value: TypedValue, x: TypedValue): TypedValue {
  return g.reshape(value, [-1, ...x.shape.slice(2).map(() => 1)]);
}

/** Ulyanov, Vedaldi and Lempitsky, "Instance Normalization" (2016): over the pixels of each channel of each sample. */
const instanceNormalization: Formula = (g, node, inputs) => {
  const [x, scale, bias] = inputs as TypedValue[];
  const sizes = sizesOf(g, x);
  const rows = reshapeTo(g, x, [sizes[0], sizes[1], product(g, sizes.slice(2))]);
  const normal = reshapeTo(g, standardized(g, rows, floatAttribute(node, 'epsilon', 1e-5)), sizes);
  return g.add(g.mul(normal, perChannel(g, scale, x)), perChannel(g, bias, x));
};

/**
 * Wu and He, "Group Normalization" (2018): over the pixels and channels of each group. Scale and bias are per channel
 * since opset 21, per group before.
 */
const groupNormalization: Formula = (g, node, inputs) => {
  const [x, scale, bias] = inputs as TypedValue[];
  const groups = intAttribute(node, 'num_groups', 1);
  const sizes = sizesOf(g, x);
  const rest = countAlong(g, x, range(x.shape.length).slice(1));
  const width = typeof rest === 'number' ? rest / groups : g.div(rest, g.ints([groups]));
  const rows = reshapeTo(g, x, [sizes[0], groups, width]);
  const normal = standardized(g, rows, floatAttribute(node, 'epsilon', 1e-5));
  if (g.opset < 21) {
    const column = (value: TypedValue) => g.reshape(value, [groups, 1]);
    return reshapeTo(g, g.add(g.mul(normal, column(scale)), column(bias)), sizes);
  }
  return g.add(g.mul(reshapeTo(g, normal, sizes), perChannel(g, scale, x)), perChannel(g, bias, x));
};

/** x / (sum of |x|^p)^(1/p) along an axis; p is 1 or 2. The zero vector stays it, with the gradient 0. */
const lpNormalization: Formula = (g, node, inputs) => {
  const [x] = inputs as TypedValue[];
  const axes = [normalizeAxis(intAttribute(node, 'axis', -1), x.shape.length)];
  const norm =
    intAttribute(node, 'p', 2) === 1
      ? g.reduceSum(g.abs(x), { axes })
      : g.sqrt(g.reduceSum(g.square(x), { axes }));
  return g.mul(
    x,
    zeroAtZero(g, norm, (length) => g.reciprocal(length)),
  );
};

/** (x - mean) / deviation over axes; ONNX adds 1e-9 to the deviation. */
const meanVarianceNormalization: Formula = (g, node, inputs) => {
  const [x] = inputs as TypedValue[];
  const axes = intsAttribute(node, 'axes') ?? [0, 2, 3];
  const centred = g.sub(x, g.reduceMean(x, { axes }));
  return g.div(centred, g.add(g.sqrt(g.reduceMean(g.square(centred), { axes })), 1e-9));
};

/**
 * x / (bias + alpha / size * sum of the squares of the channels around)^beta (Krizhevsky et al., 2012, section 3.3).
 * The sum over channels is an average pool along them.
 */
const localResponseNormalization: Formula = (g, node, inputs) => {
  const [x] = inputs as TypedValue[];
  const size = intAttribute(node, 'size', 1);
  const before = Math.floor((size - 1) / 2);
  const sizes = sizesOf(g, x);
  const rows = reshapeTo(g, g.square(x), [sizes[0], 1, sizes[1], product(g, sizes.slice(2))]);
  const means = g.op('AveragePool', [rows], {
    kernel_shape: [size, 1],
    pads: [before, 0, size - 1 - before, 0],
    count_include_pad: 1,
  });
  const scaled = g.mul(reshapeTo(g, means, sizes), floatAttribute(node, 'alpha', 1e-4));
  const denominator = g.pow(
    g.add(scaled, floatAttribute(node, 'bias', 1)),
    floatAttribute(node, 'beta', 0.75),
  );
  return g.div(x, denominator);
};

/** The p-norm of all pixels of a channel. */
const globalLpPool: Formula = (g, node, inputs) => {
  const [x] = inputs as TypedValue[];
  const p = intAttribute(node, 'p', 2);
  const axes = range(x.shape.length).slice(2);
  return g.pow(g.reduceSum(g.pow(g.abs(x), p), { axes }), 1 / p);
};

/** The p-norm of the pixels in a window: (n times their mean p-th power)^(1/p). */
const lpPool: Formula = (g, node, inputs) => {
  const [x] = inputs as TypedValue[];
  const p = intAttribute(node, 'p', 2);
  const kernel = intsAttribute(node, 'kernel_shape') ?? [];
  const attributes = Object.fromEntries([...node.attributes].filter(([name]) => name !== 'p'));
  const means = g.op('AveragePool', [g.pow(g.abs(x), p)], { ...attributes, count_include_pad: 1 });
  const count = kernel.reduce((elements, size) => elements * size, 1);
  return g.pow(g.mul(means, asOperand(g, count, x.type)), 1 / p);
};

export const NORMALIZATION_FORMULA_RULES = {
  InstanceNormalization: inFloat32(byFormula(instanceNormalization)),
  GroupNormalization: inFloat32(byFormula(groupNormalization)),
  LpNormalization: inFloat32(byFormula(lpNormalization)),
  MeanVarianceNormalization: inFloat32(byFormula(meanVarianceNormalization)),
  LRN: inFloat32(byFormula(localResponseNormalization)),
  GlobalLpPool: inFloat32(byFormula(globalLpPool)),
  LpPool: inFloat32(byFormula(lpPool)),
};
