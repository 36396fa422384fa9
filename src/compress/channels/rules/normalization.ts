import { intAttribute } from '../../../onnx/graph.ts';
import { defined, FROZEN, joinAll, type OperatorRule } from '../operator-rule.ts';

export const NORMALIZATION: OperatorRule = {
  link(node, { units }) {
    const [x, ...statistics] = node.inputs;
    const [y, ...running] = node.outputs;
    if (!x || !y) return;
    joinAll(units, units.of(x), units.of(y));
    for (const value of [...defined(statistics), ...defined(running)])
      units.joinAxes(units.of(value)[0], units.of(x)[1]);
  },
};

/** Over the last axis alone; the mean of fewer elements is another one. */
export const LAYER_NORMALIZATION: OperatorRule = {
  link(node, context) {
    const { units } = context;
    const [x, ...affine] = node.inputs;
    const [y, ...rest] = node.outputs;
    const axes = x && units.of(x);
    const axis = intAttribute(node, 'axis', -1);
    if (!x || !y || !axes || defined(rest).length > 0 || (axis !== -1 && axis !== axes.length - 1)) {
      FROZEN.link(node, context);
      return;
    }
    joinAll(units, axes, units.of(y));
    for (const value of defined(affine)) units.joinAxes(units.of(value)[0], axes.at(-1));
  },
};
