import { intAttribute, intsAttribute } from '../../../onnx/graph.ts';
import { toNumbers } from '../../../onnx/tensor.ts';
import { axisOf, defined, FROZEN, type OperatorRule } from '../operator-rule.ts';

export const TRANSPOSE: OperatorRule = {
  link(node, { units }) {
    const [x] = node.inputs;
    const [y] = node.outputs;
    if (!x || !y) return;
    const [given, made] = [units.of(x), units.of(y)];
    const order = intsAttribute(node, 'perm') ?? given.map((_, i) => given.length - 1 - i);
    for (const [i, axis] of made.entries()) units.joinAxes(axis, given[order[i] as number]);
  },
};

export const CONCAT: OperatorRule = {
  link(node, { units }) {
    const [y] = node.outputs;
    if (!y) return;
    const made = units.of(y);
    const along = axisOf(node, made.length);
    let from = 0;
    for (const input of defined(node.inputs)) {
      const given = units.of(input);
      given.forEach((axis, i) => {
        if (i !== along) units.joinAxes(axis, made[i]);
      });
      const part = given[along];
      units.joinAxes(part, part && made[along] ? made[along].subarray(from, from + part.length) : null);
      from += part?.length ?? 0;
    }
  },
};

export const GATHER: OperatorRule = {
  link(node, { units }) {
    const [data, indices] = node.inputs;
    const [y] = node.outputs;
    if (!data || !indices || !y) return;
    const [given, made] = [units.of(data), units.of(y)];
    const along = axisOf(node, given.length);
    const rank = indices.shape?.length ?? 0;
    units.freezeAxis(given[along]);
    units.freeze(indices);
    given.forEach((axis, i) => {
      if (i < along) units.joinAxes(axis, made[i]);
      if (i > along) units.joinAxes(axis, made[i + rank - 1]);
    });
    for (let i = along; i < along + rank; i++) units.freezeAxis(made[i]);
  },
};

/** What lies behind the places that are named passes: of a token of each text its channels. */
export const GATHER_ND: OperatorRule = {
  link(node, { units }) {
    const [data, indices] = node.inputs;
    const [y] = node.outputs;
    if (!data || !indices || !y) return;
    const [given, made] = [units.of(data), units.of(y)];
    const length = indices.shape?.at(-1);
    const from = typeof length === 'number' ? intAttribute(node, 'batch_dims', 0) + length : given.length;
    const passed = given.length - from;
    units.freeze(indices);
    for (const axis of given.slice(0, from)) units.freezeAxis(axis);
    for (const axis of made.slice(0, made.length - passed)) units.freezeAxis(axis);
    for (let i = 1; i <= passed; i++) units.joinAxes(given.at(-i), made.at(-i));
  },
};

/** Pads of zero length change no channels. */
export const PAD: OperatorRule = {
  link(node, context) {
    const { units, constant } = context;
    const [x, pads, ...settings] = node.inputs;
    const [y] = node.outputs;
    const content = constant(pads);
    const amounts = content ? toNumbers(content) : intsAttribute(node, 'pads');
    const rank = x?.shape?.length ?? 0;
    if (!x || !y || amounts?.length !== 2 * rank || settings[1]) {
      FROZEN.link(node, context);
      return;
    }
    const [given, made] = [units.of(x), units.of(y)];
    given.forEach((axis, i) => {
      if (amounts[i] === 0 && amounts[rank + i] === 0) units.joinAxes(axis, made[i]);
      else for (const one of [axis, made[i]]) units.freezeAxis(one);
    });
  },
};
