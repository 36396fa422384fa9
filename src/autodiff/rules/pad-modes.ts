import { stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { toNumbers } from '../../onnx/tensor.ts';
import { range, withShape } from '../broadcast.ts';
import { frontAxes, UnsupportedGradient } from '../rule.ts';
import { expandTo, type Size, sizesOf } from '../sizes.ts';
import type { Formula } from './by-formula.ts';

/** What is put before and after the elements of an axis: `count` of them, which may be 0. */
interface Ends {
  before(g: GraphBuilder, x: TypedValue, axis: number, count: number): TypedValue;
  after(g: GraphBuilder, x: TypedValue, axis: number, count: number): TypedValue;
}

/** Further than any size: where a Slice goes on to the end. */
const TO_THE_END = Number.MAX_SAFE_INTEGER;

const repeat = (g: GraphBuilder, x: TypedValue, axis: number, count: number) =>
  expandTo(
    g,
    x,
    sizesOf(g, x).map((size, i): Size => (i === axis ? count : size)),
  );

/** The value, of which `count` elements along `axis` are known to be there. */
const counted = (value: TypedValue, axis: number, count: number) =>
  withShape(
    value,
    value.shape.map((size, i) => (i === axis ? count : size)),
  );

const ENDS: Readonly<Record<string, Ends>> = {
  reflect: {
    before: (g, x, axis, count) => g.slice(x, axis, count, 0, -1),
    after: (g, x, axis, count) => g.slice(x, axis, -2, -count - 2, -1),
  },
  edge: {
    before: (g, x, axis, count) => repeat(g, g.slice(x, axis, 0, 1), axis, count),
    after: (g, x, axis, count) => repeat(g, g.slice(x, axis, -1, TO_THE_END), axis, count),
  },
  wrap: {
    before: (g, x, axis, count) => g.slice(x, axis, -count, TO_THE_END),
    after: (g, x, axis, count) => g.slice(x, axis, 0, count),
  },
};

/** Pad in the modes that repeat the elements, written as slices of them put together, axis by axis. */
export const paddedByElements: Formula = (g, node, inputs) => {
  const [x, amounts, , given] = inputs;
  const mode = stringAttribute(node, 'mode', 'constant');
  const ends = ENDS[mode];
  const constant = (value: TypedValue | null | undefined) => {
    const content = value && g.constantOf(value);
    return content && toNumbers(content);
  };
  const pads = constant(amounts);
  if (!x || !ends) throw new UnsupportedGradient(`mode ${mode}`);
  const axes = given ? constant(given) : range(x.shape.length);
  if (!pads || !axes) throw new UnsupportedGradient(`computed pads in mode ${mode}`);
  return frontAxes(axes, x.shape.length).reduce((value, axis, i) => {
    const [before, after] = [pads[i], pads[i + axes.length]];
    const size = x.shape[axis];
    const most = typeof size === 'number' ? (mode === 'reflect' ? size - 1 : size) : TO_THE_END;
    if (mode !== 'edge' && Math.max(before, after) > most)
      throw new UnsupportedGradient(`pads of ${before} and ${after} around ${size} elements in mode ${mode}`);
    // Negative amounts cut off, before anything is repeated.
    const cut =
      before < 0 || after < 0
        ? g.slice(value, axis, Math.max(-before, 0), after < 0 ? after : TO_THE_END)
        : value;
    const parts = [
      ...(before > 0 ? [counted(ends.before(g, cut, axis, before), axis, before)] : []),
      cut,
      ...(after > 0 ? [counted(ends.after(g, cut, axis, after), axis, after)] : []),
    ];
    return parts.length === 1 ? cut : g.concat(parts, axis);
  }, x);
};
