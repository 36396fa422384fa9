import { intAttribute } from '../../../onnx/graph.ts';
import type { Axes } from '../axis-units.ts';
import { FROZEN, joinBroadcast, type OperatorRule } from '../operator-rule.ts';

export const MATMUL: OperatorRule = {
  link(node, context) {
    const { units } = context;
    const [a, b] = node.inputs;
    const [y] = node.outputs;
    const [left, right, made] = [a, b, y].map((value) => (value ? units.of(value) : []));
    if (!left || !right || !made || left.length < 2 || right.length < 2) {
      FROZEN.link(node, context);
      return;
    }
    units.joinAxes(left.at(-1), right.at(-2));
    units.joinAxes(left.at(-2), made.at(-2));
    units.joinAxes(right.at(-1), made.at(-1));
    for (const side of [left, right]) {
      const batch = side.slice(0, -2);
      batch.forEach((axis, i) => {
        joinBroadcast(units, axis, made[made.length - 2 - batch.length + i]);
      });
    }
  },
};

export const GEMM: OperatorRule = {
  link(node, { units }) {
    const [a, b, c] = node.inputs;
    const [y] = node.outputs;
    if (!a || !b || !y) return;
    const turned = (axes: Axes, name: string) =>
      intAttribute(node, name, 0) === 1 ? [axes[1], axes[0]] : [axes[0], axes[1]];
    const [left, right, made] = [turned(units.of(a), 'transA'), turned(units.of(b), 'transB'), units.of(y)];
    units.joinAxes(left[1], right[0]);
    units.joinAxes(left[0], made[0]);
    units.joinAxes(right[1], made[1]);
    if (!c) return;
    const bias = units.of(c);
    bias.forEach((axis, i) => {
      joinBroadcast(units, axis, made[2 - bias.length + i]);
    });
  },
};
