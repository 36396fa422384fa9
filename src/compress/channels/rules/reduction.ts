import { intAttribute, intsAttribute } from '../../../onnx/graph.ts';
import { toNumbers } from '../../../onnx/tensor.ts';
import { FROZEN, type OperatorRule } from '../operator-rule.ts';

/** Reduced axes stay, for the mean of fewer is another one; the others pass. */
export const REDUCE: OperatorRule = {
  link(node, context) {
    const { units, constant } = context;
    const [x, list] = node.inputs;
    const [y] = node.outputs;
    if (!x || !y) return;
    const [given, made] = [units.of(x), units.of(y)];
    const content = constant(list);
    const axes = content ? toNumbers(content) : intsAttribute(node, 'axes');
    if (list && !content) {
      FROZEN.link(node, context);
      return;
    }
    const reduced = new Set(
      (axes ?? given.map((_, i) => i)).map((axis) => (axis < 0 ? axis + given.length : axis)),
    );
    const keepDims = intAttribute(node, 'keepdims', 1) === 1;
    let place = 0;
    given.forEach((axis, i) => {
      if (reduced.has(i)) {
        if (!(context.meansMayShrink && keepDims && node.opType === 'ReduceMean')) units.freezeAxis(axis);
        if (keepDims) units.freezeAxis(made[place++]);
      } else units.joinAxes(axis, made[place++]);
    });
    if (list) units.freeze(list);
  },
};
