import { intsAttribute, type Node } from '../../../onnx/graph.ts';
import { toNumbers } from '../../../onnx/tensor.ts';
import { axisOf, defined, FROZEN, type Linking, type OperatorRule, withAttribute } from '../operator-rule.ts';

export const SPLIT: OperatorRule = {
  link(node, { units, constant }) {
    const [x, sizes] = node.inputs;
    if (!x) return;
    const given = units.of(x);
    const along = axisOf(node, given.length);
    let from = 0;
    // Sizes that are computed are not ours to change.
    const isKnown = !sizes || constant(sizes) !== undefined;
    for (const output of defined(node.outputs)) {
      const made = units.of(output);
      made.forEach((axis, i) => {
        if (i !== along) units.joinAxes(axis, given[i]);
      });
      const part = made[along];
      units.joinAxes(part, part && given[along] ? given[along].subarray(from, from + part.length) : null);
      from += part?.length ?? 0;
    }
    if (!isKnown) units.freezeAxis(given[along]);
    if (sizes) units.freeze(sizes);
  },
  cut(node, { kept, isCut, ints }) {
    const outputs = defined(node.outputs);
    const [x, sizes] = node.inputs;
    const along = axisOf(node, x?.shape?.length ?? 0);
    if (!x || !isCut(x, along)) return node;
    const left = outputs.map((value) => kept(value, along).length);
    if (intsAttribute(node, 'split')) return withAttribute(node, 'split', { kind: 'ints', value: left });
    const plain = new Map([...node.attributes].filter(([name]) => name !== 'num_outputs'));
    return { ...node, inputs: [x, ints(sizes?.name ?? `${node.name}/split`, left)], attributes: plain };
  },
};

export const SLICE: OperatorRule = {
  link(node, context) {
    const { units } = context;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const ranges = rangesOf(node, context);
    if (!x || !y || !ranges) {
      FROZEN.link(node, context);
      return;
    }
    const [given, made] = [units.of(x), units.of(y)];
    given.forEach((axis, i) => {
      const range = ranges.get(i);
      if (!range) units.joinAxes(axis, made[i]);
      else if (axis && range.step === 1 && made[i]?.length === Math.max(0, range.end - range.start))
        units.joinAxes(made[i], axis.subarray(range.start, range.end));
      else for (const one of [axis, made[i]]) units.freezeAxis(one);
    });
  },
  cut(node, context) {
    const [x] = node.inputs;
    const ranges = rangesOf(node, context);
    if (!x || !ranges || ![...ranges.keys()].some((axis) => context.isCut(x, axis))) return node;
    const before = (axis: number, end: number) => context.kept(x, axis).filter((index) => index < end).length;
    const list = [...ranges].map(([axis, range]) => {
      if (!context.isCut(x, axis)) return { axis, ...range };
      return { axis, start: before(axis, range.start), end: before(axis, range.end), step: 1 };
    });
    const vector = (name: 'start' | 'end' | 'axis' | 'step') =>
      context.ints(
        `${node.name}/${name}`,
        list.map((one) => one[name]),
      );
    return { ...node, inputs: [x, vector('start'), vector('end'), vector('axis'), vector('step')] };
  },
};

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** What a Slice takes of each axis; undefined where that is computed, or the axis is of open size. */
function rangesOf(node: Node, { constant }: Pick<Linking, 'constant'>): Map<number, Range> | undefined {
  const [x, ...given] = node.inputs;
  const [starts, ends, axes, steps] = given.map((value) => {
    const content = constant(value);
    return content ? toNumbers(content) : undefined;
  });
  if (!x?.shape || !starts || !ends || (given[2] && !axes) || (given[3] && !steps)) return undefined;
  const ranges = new Map<number, Range>();
  for (const [i, start] of starts.entries()) {
    const axis = axes?.[i] ?? i;
    const place = axis < 0 ? axis + x.shape.length : axis;
    const size = x.shape[place];
    const step = steps?.[i] ?? 1;
    if (typeof size !== 'number') {
      ranges.set(place, { start, end: ends[i] as number, step });
      continue;
    }
    const bounded = (index: number) => Math.min(size, Math.max(0, index < 0 ? index + size : index));
    if (step < 1) return undefined;
    ranges.set(place, { start: bounded(start), end: bounded(ends[i] as number), step });
  }
  return ranges;
}
