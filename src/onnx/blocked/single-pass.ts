import type { AttributeInits } from '../attributes.ts';
import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { type BlockedConvolution, type ByChannel, blockedConvolution, byChannel } from './kernels.ts';
import { shapedAs } from './shared-blocks.ts';

/** What a pass over memory can take in besides: it is added before the activation. */
export interface More {
  readonly sum?: TypedValue;
  readonly activation?: 'Relu';
}

/**
 * A convolution, or a scale and shift of each channel, that later nodes may go into: a shift, a sum of a residual, an
 * activation. The kernel does them while it writes, where operators of their own would read and write everything again.
 */
export interface SinglePass {
  readonly value: TypedValue;
  /** The same with more in it; undefined where it does not fit. */
  withMore(more: More): SinglePass | undefined;
  /** The same with a number [C] added to each channel; undefined where it does not fit. */
  withShift(shift: TypedValue): SinglePass | undefined;
}

/** A convolution as it begins. */
export function convolutionPass(
  g: GraphBuilder,
  parts: BlockedConvolution,
  attributes: AttributeInits,
  taken: More = {},
): SinglePass {
  const { sum, activation } = taken;
  const all = { ...attributes, ...(activation ? { activation } : {}) };
  return {
    value: blockedConvolution(g, { ...parts, ...(sum ? { sum } : {}) }, all),
    withMore: (more) =>
      fits(taken, more) ? convolutionPass(g, parts, attributes, { ...taken, ...more }) : undefined,
    withShift: () => undefined,
  };
}

/** scale x + shift as it begins. */
export function channelPass(g: GraphBuilder, parts: ByChannel): SinglePass {
  return {
    value: byChannel(g, parts),
    withMore: (more) => (fits(parts, more) ? channelPass(g, { ...parts, ...more }) : undefined),
    withShift: (shift) =>
      parts.shift || parts.sum || parts.activation ? undefined : channelPass(g, { ...parts, shift }),
  };
}

/** A pass whose result has another shape over the same memory: what goes into it later has that shape too. */
export function seenAs(g: GraphBuilder, pass: SinglePass, shape: readonly number[]): SinglePass {
  const own = pass.value.shape as number[];
  if (own.join() === shape.join()) return pass;
  return {
    value: g.reshape(pass.value, shape),
    withMore({ sum, ...more }) {
      const inside = pass.withMore({ ...more, ...(sum ? { sum: shapedAs(g, sum, own) } : {}) });
      return inside && seenAs(g, inside, shape);
    },
    withShift: () => undefined,
  };
}

/** Nothing goes in after an activation, and one sum only. */
function fits(taken: More, more: More): boolean {
  return taken.activation === undefined && !(taken.sum && more.sum);
}
