import { intAttribute } from '../../../onnx/graph.ts';
import { defined, joinAll, joinBroadcast, type OperatorRule } from '../operator-rule.ts';

/** Each element of the output is of the elements of the inputs at its place (numpy broadcasting). */
export const ELEMENTWISE: OperatorRule = {
  link(node, { units }) {
    for (const output of defined(node.outputs)) {
      const own = units.of(output);
      for (const input of defined(node.inputs)) {
        const given = units.of(input);
        given.forEach((axis, i) => {
          joinBroadcast(units, axis, own[own.length - given.length + i]);
        });
      }
    }
  },
};

/** The first input's axes are the output's; other inputs are settings. */
export const UNARY: OperatorRule = {
  link(node, { units }) {
    const [x, ...settings] = node.inputs;
    for (const output of defined(node.outputs)) joinAll(units, x && units.of(x), units.of(output));
    for (const value of defined(settings)) units.freeze(value);
  },
};

/** All axes pass but the one that is normalised over, whose elements depend on each other. */
export const ALONG_AXIS: OperatorRule = {
  link(node, context) {
    UNARY.link(node, context);
    const [x] = node.inputs;
    if (!x) return;
    const axes = context.units.of(x);
    context.units.freezeAxis(axes.at(intAttribute(node, 'axis', -1)));
  },
};
