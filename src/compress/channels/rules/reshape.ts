import { toNumbers } from '../../../onnx/tensor.ts';
import type { AxisUnits } from '../axis-units.ts';
import { FROZEN, type OperatorRule } from '../operator-rule.ts';

/**
 * An axis that is split in several, or several that are joined to one: the first of them (channels, heads) can be cut, with all
 * that lies in each; the others stay.
 */
export const RESHAPE: OperatorRule = {
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
