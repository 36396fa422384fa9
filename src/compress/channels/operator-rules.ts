import { type Attribute, intAttribute, intsAttribute, type Node, type Value } from '../../onnx/graph.ts';
import { type Tensor, toNumbers } from '../../onnx/tensor.ts';
import type { Axes, AxisUnits } from './axis-units.ts';

/** What a rule has at hand while units are found. */
export interface Linking {
  readonly units: AxisUnits;
  constant(value: Value | null | undefined): Tensor | undefined;
}

/** What a rule has at hand while a node is cut. */
export interface Cutting extends Pick<Linking, 'constant'> {
  /** The indices of an axis that stay; all of them where nothing is cut. */
  kept(value: Value, axis: number): readonly number[];
  isCut(value: Value, axis: number): boolean;
  /** A new constant int64 vector. */
  ints(stem: string, values: readonly number[]): Value;
}

/** How channels pass through an operator. */
export interface OperatorRule {
  /** Joins the indices that belong together, and freezes those that have to stay. */
  link(node: Node, context: Linking): void;
  /** The node with what it says of sizes brought up to date; as it is when absent. */
  cut?(node: Node, context: Cutting): Node;
}

const defined = (values: readonly (Value | null)[]) =>
  values.filter((value): value is Value => value !== null);

/** Nothing that goes in or comes out may be cut: what is done with operators without a rule. */
export const FROZEN: OperatorRule = {
  link(node, { units }) {
    for (const value of [...defined(node.inputs), ...defined(node.outputs)]) units.freeze(value);
  },
};

/** Each element of the output is of the elements of the inputs at its place (numpy broadcasting). */
const ELEMENTWISE: OperatorRule = {
  link(node, { units }) {
    for (const output of defined(node.outputs)) {
      const own = units.of(output);
      for (const input of defined(node.inputs)) {
        const given = units.of(input);
        given.forEach((axis, i) => {
          const place = own.length - given.length + i;
          const target = own[place];
          // One element that stands for all of an axis stays.
          if (axis?.length === 1 && target?.length !== 1) units.freezeAxis(axis);
          else units.joinAxes(axis, target);
        });
      }
    }
  },
};

/** The first input's axes are the output's; other inputs are settings. */
const UNARY: OperatorRule = {
  link(node, { units }) {
    const [x, ...settings] = node.inputs;
    for (const output of defined(node.outputs)) joinAll(units, x && units.of(x), units.of(output));
    for (const value of defined(settings)) units.freeze(value);
  },
};

function joinAll(units: AxisUnits, a: Axes | null | undefined, b: Axes): void {
  if (a?.length !== b.length) {
    for (const axis of [...(a ?? []), ...b]) units.freezeAxis(axis);
    return;
  }
  for (const [i, axis] of a.entries()) units.joinAxes(axis, b[i]);
}

/** Samples and channels pass, places do not: [N, C, ...]. */
const CHANNELWISE: OperatorRule = {
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

/** All axes pass but the one that is normalised over, whose elements depend on each other. */
const ALONG_AXIS: OperatorRule = {
  link(node, context) {
    UNARY.link(node, context);
    const [x] = node.inputs;
    if (!x) return;
    const axes = context.units.of(x);
    context.units.freezeAxis(axes.at(intAttribute(node, 'axis', -1)));
  },
};

const CONVOLUTION: OperatorRule = {
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

const NORMALIZATION: OperatorRule = {
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
const LAYER_NORMALIZATION: OperatorRule = {
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

const MATMUL: OperatorRule = {
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
        const target = made[made.length - 2 - batch.length + i];
        if (axis?.length === 1 && target?.length !== 1) units.freezeAxis(axis);
        else units.joinAxes(axis, target);
      });
    }
  },
};

const GEMM: OperatorRule = {
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
      const target = made[2 - bias.length + i];
      if (axis?.length === 1 && target?.length !== 1) units.freezeAxis(axis);
      else units.joinAxes(axis, target);
    });
  },
};

const TRANSPOSE: OperatorRule = {
  link(node, { units }) {
    const [x] = node.inputs;
    const [y] = node.outputs;
    if (!x || !y) return;
    const [given, made] = [units.of(x), units.of(y)];
    const order = intsAttribute(node, 'perm') ?? given.map((_, i) => given.length - 1 - i);
    for (const [i, axis] of made.entries()) units.joinAxes(axis, given[order[i] as number]);
  },
};

const CONCAT: OperatorRule = {
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

const SPLIT: OperatorRule = {
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

const SLICE: OperatorRule = {
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

const GATHER: OperatorRule = {
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

/** Reduced axes stay, for the mean of fewer is another one; the others pass. */
const REDUCE: OperatorRule = {
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
        units.freezeAxis(axis);
        if (keepDims) units.freezeAxis(made[place++]);
      } else units.joinAxes(axis, made[place++]);
    });
    if (list) units.freeze(list);
  },
};

/** Pads of zero length change no channels. */
const PAD: OperatorRule = {
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

/** Sizes are given as factors: those of samples and channels are 1. */
const RESIZE: OperatorRule = {
  link(node, context) {
    const { constant } = context;
    const scales = constant(node.inputs[2]);
    const numbers = scales ? toNumbers(scales) : [];
    if (node.inputs[3] || numbers[0] !== 1 || numbers[1] !== 1) FROZEN.link(node, context);
    else CHANNELWISE.link(node, context);
  },
};

/**
 * An axis that is split in several, or several that are joined to one: the first of them (channels, heads) can be cut, with all
 * that lies in each; the others stay.
 */
const RESHAPE: OperatorRule = {
  link(node, context) {
    const { units, constant } = context;
    const [x, target] = node.inputs;
    const [y] = node.outputs;
    if (!x || !y) return;
    const isComputed = node.opType === 'Reshape' && target && !constant(target);
    if (isComputed) {
      FROZEN.link(node, context);
      return;
    }
    const [given, made] = [units.of(x), units.of(y)];
    let [i, j] = [given.length - 1, made.length - 1];
    // From the last axis on, as long as sizes are known: blocks of axes with equal products belong together.
    while (i >= 0 && j >= 0) {
      if (!given[i] || !made[j]) {
        if (given[i] || made[j] || x.shape?.[i] !== y.shape?.[j]) break;
        i--;
        j--;
        continue;
      }
      const [left, right] = [[given[i--] as Int32Array], [made[j--] as Int32Array]];
      while (sizeOf(left) !== sizeOf(right)) {
        const [side, all, at] = sizeOf(left) < sizeOf(right) ? [left, given, i] : [right, made, j];
        const next = all[at];
        if (!next) break;
        side.unshift(next);
        if (side === left) i--;
        else j--;
      }
      if (sizeOf(left) === sizeOf(right)) joinBlock(units, left, right);
      else for (const axis of [...left, ...right]) units.freezeAxis(axis);
    }
    for (const axis of [...given.slice(0, i + 1), ...made.slice(0, j + 1)]) units.freezeAxis(axis);
    if (target) units.freeze(target);
  },
  cut(node, { kept, isCut, constant, ints }) {
    const [x, target] = node.inputs;
    const [y] = node.outputs;
    const content = node.opType === 'Reshape' ? constant(target) : undefined;
    if (!x || !y?.shape || !content || !target) return node;
    const wanted = toNumbers(content);
    const cut = wanted.map((size, axis) => (size > 0 && isCut(y, axis) ? kept(y, axis).length : size));
    if (cut.every((size, axis) => size === wanted[axis])) return node;
    return { ...node, inputs: [x, ints(target.name, cut), ...node.inputs.slice(2)] };
  },
};

function sizeOf(block: readonly Int32Array[]): number {
  return block.reduce((product, axis) => product * axis.length, 1);
}

/** Joins blocks of axes with as many elements: one axis with the first of several that is longer than 1. */
function joinBlock(units: AxisUnits, left: readonly Int32Array[], right: readonly Int32Array[]): void {
  const [a, b] = [left, right].map((block) => {
    for (const axis of block) if (axis.length === 1) units.freezeAxis(axis);
    return block.filter((axis) => axis.length > 1);
  }) as [Int32Array[], Int32Array[]];
  const [one, several] = a.length === 1 ? [a[0], b] : [b[0], a];
  if (!one || (a.length !== 1 && b.length !== 1)) {
    for (const axis of [...a, ...b]) units.freezeAxis(axis);
    return;
  }
  const [first, ...rest] = several as [Int32Array, ...Int32Array[]];
  const each = sizeOf(rest);
  for (const [index, unit] of one.entries()) units.join(unit, first[Math.floor(index / each)] as number);
  for (const axis of rest) units.freezeAxis(axis);
}

function axisOf(node: Node, rank: number): number {
  const axis = intAttribute(node, 'axis', 0);
  return axis < 0 ? axis + rank : axis;
}

function withAttribute(node: Node, name: string, attribute: Attribute): Node {
  return { ...node, attributes: new Map([...node.attributes, [name, attribute]]) };
}

const rules = (opTypes: string, rule: OperatorRule) =>
  opTypes.split(' ').map((opType) => [opType, rule] as const);

/** By operator of the standard domain; a depthwise or grouped convolution is one like the others. */
export const OPERATOR_RULES: ReadonlyMap<string, OperatorRule> = new Map([
  ...rules(
    'Add Sub Mul Div Pow Min Max Mean Sum Where Equal Less Greater LessOrEqual GreaterOrEqual And Or PRelu',
    ELEMENTWISE,
  ),
  ...rules(
    'Relu Sigmoid Tanh Identity Cast Dropout HardSwish HardSigmoid Clip Erf Exp Log Sqrt Reciprocal Neg Abs Sign Elu Selu LeakyRelu Softplus Softsign Gelu Mish Not Floor Ceil Round Celu ThresholdedRelu Swish',
    UNARY,
  ),
  ...rules('MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool GlobalLpPool', CHANNELWISE),
  ...rules('Softmax LogSoftmax Hardmax', ALONG_AXIS),
  ...rules('Conv ConvTranspose', CONVOLUTION),
  ...rules('BatchNormalization', NORMALIZATION),
  ...rules('LayerNormalization', LAYER_NORMALIZATION),
  ...rules('MatMul', MATMUL),
  ...rules('Gemm', GEMM),
  ...rules('Transpose', TRANSPOSE),
  ...rules('Concat', CONCAT),
  ...rules('Split', SPLIT),
  ...rules('Slice', SLICE),
  ...rules('Gather', GATHER),
  ...rules(
    'ReduceMean ReduceSum ReduceMax ReduceMin ReduceSumSquare ReduceL1 ReduceL2 ReduceProd ReduceLogSumExp',
    REDUCE,
  ),
  ...rules('Pad', PAD),
  ...rules('Resize', RESIZE),
  ...rules('Reshape Flatten Squeeze Unsqueeze', RESHAPE),
]);
