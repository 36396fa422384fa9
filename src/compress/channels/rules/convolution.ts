import { intAttribute } from '../../../onnx/graph.ts';
import { toNumbers } from '../../../onnx/tensor.ts';
import { defined, FROZEN, type OperatorRule, withAttribute } from '../operator-rule.ts';

/** Of all kinds: standard, grouped, depthwise, transposed. */
export const CONVOLUTION: OperatorRule = {
  link(node, { units }) {
    const [x, weight, bias] = node.inputs;
    const [y] = node.outputs;
    if (!x || !weight || !y) return;
    const [data, kernel, made] = [units.of(x), units.of(weight), units.of(y)];
    const isTransposed = node.opType === 'ConvTranspose';
    const groups = intAttribute(node, 'group', 1);
    units.joinAxes(data[0], made[0]);
    for (const axis of [...data.slice(2), ...made.slice(2), ...kernel.slice(2)]) units.freezeAxis(axis);
    // A convolution's weight is [O, I / groups, ...], a transposed one's [I, O / groups, ...].
    const [own, across] = isTransposed ? [data[1], made[1]] : [made[1], data[1]];
    const [rows, columns] = [kernel[0], kernel[1]];
    units.joinAxes(rows, own);
    if (!own || !across || !rows || !columns) {
      for (const axis of [own, across, rows, columns]) units.freezeAxis(axis);
    } else if (columns.length === 1 && groups > 1) {
      // Depthwise: a channel goes with all that is made of it.
      units.freezeAxis(columns);
      const each = rows.length / groups;
      for (const [row, unit] of rows.entries()) units.join(unit, across[Math.floor(row / each)] as number);
    } else {
      // Every group keeps as many: what is cut of one is cut of all.
      for (const [index, unit] of across.entries())
        units.join(unit, columns[index % columns.length] as number);
      const each = rows.length / groups;
      for (const [row, unit] of rows.entries()) units.join(unit, rows[row % each] as number);
    }
    if (bias) units.joinAxes(units.of(bias)[0], made[1]);
  },
  cut(node, { kept, isCut }) {
    const weight = node.inputs[1];
    const groups = intAttribute(node, 'group', 1);
    if (groups === 1 || weight?.shape?.[1] !== 1 || !isCut(weight, 0)) return node;
    const each = (weight.shape[0] as number) / groups;
    return withAttribute(node, 'group', { kind: 'int', value: kept(weight, 0).length / each });
  },
};

/** Samples and channels pass, places do not: [N, C, ...]. */
export const CHANNELWISE: OperatorRule = {
  link(node, { units }) {
    const [x, ...settings] = node.inputs;
    if (!x) return;
    const own = units.of(x);
    for (const output of defined(node.outputs)) {
      const made = units.of(output);
      units.joinAxes(own[0], made[0]);
      units.joinAxes(own[1], made[1]);
      for (const axis of [...own.slice(2), ...made.slice(2)]) units.freezeAxis(axis);
    }
    for (const value of defined(settings)) units.freeze(value);
  },
};

/** Sizes are given as factors: those of samples and channels are 1. */
export const RESIZE: OperatorRule = {
  link(node, context) {
    const { constant } = context;
    const scales = constant(node.inputs[2]);
    const numbers = scales ? toNumbers(scales) : [];
    if (node.inputs[3] || numbers[0] !== 1 || numbers[1] !== 1) FROZEN.link(node, context);
    else CHANNELWISE.link(node, context);
  },
};
