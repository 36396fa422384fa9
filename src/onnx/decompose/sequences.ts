import { intAttribute, type TypedValue } from '../graph.ts';
import { type CompositeCall, type Decomposition, inputOf, knownInts } from './decomposition.ts';

/**
 * Sequences whose length is known are lists of tensors here: what is put in by one operator is what another takes out.
 * A node that makes a sequence has no output then.
 */
function makes(items: (call: CompositeCall) => readonly TypedValue[] | undefined): Decomposition {
  return (call) => {
    const list = items(call);
    const output = call.node.outputs[0];
    if (!list || !output) return undefined;
    call.sequences.set(output, list);
    return [];
  };
}

/** The tensors of the sequence that is input 0. */
function listOf({ node, sequences }: CompositeCall): readonly TypedValue[] | undefined {
  const value = node.inputs[0];
  return value ? sequences.get(value) : undefined;
}

/** A position in a list, counted from either end; the last one, or `fallback`, when the node does not say it. */
function positionIn(call: CompositeCall, index: number, length: number, fallback?: number) {
  if (!call.node.inputs[index]) return fallback;
  const given = knownInts(call, index)?.[0];
  return given === undefined ? undefined : given < 0 ? given + length : given;
}

const split = makes((call) => {
  const { g, node } = call;
  const x = inputOf(call, 0);
  const given = intAttribute(node, 'axis', 0);
  const axis = given < 0 ? given + x.shape.length : given;
  const total = x.shape[axis];
  const sizes = call.node.inputs[1] ? knownInts(call, 1) : [1];
  if (!sizes) return undefined;
  const parts = (call.inputs[1]?.shape.length ?? 0) === 0 ? equalParts(total, sizes[0]!) : sizes;
  if (!parts) return undefined;
  const pieces = g.node('Split', [x, g.ints(parts)], { axis }, { outputs: parts.length });
  const drops = !call.node.inputs[1] && intAttribute(node, 'keepdims', 1) === 0;
  return drops ? pieces.map((piece) => g.squeeze(piece, [axis])) : pieces;
});

/** Each part is an output of its own. */
const MAX_PARTS = 16_384;

function equalParts(total: number | string | undefined, size: number): number[] | undefined {
  if (typeof total !== 'number' || size < 1 || total / size > MAX_PARTS) return undefined;
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size));
}

const insert = makes((call) => {
  const list = listOf(call);
  const at = list && positionIn(call, 2, list.length, list.length);
  return at === undefined ? undefined : list!.toSpliced(at, 0, inputOf(call, 1));
});

const erase = makes((call) => {
  const list = listOf(call);
  const at = list && positionIn(call, 1, list.length, list.length - 1);
  return at === undefined ? undefined : list!.toSpliced(at, 1);
});

const at: Decomposition = (call) => {
  const list = listOf(call);
  const item = list?.[positionIn(call, 1, list.length) ?? -1];
  return item && [item];
};

const join: Decomposition = (call) => {
  const { g, node } = call;
  const list = listOf(call);
  if (!list || list.length === 0) return undefined;
  const axis = intAttribute(node, 'axis', 0);
  const parts =
    intAttribute(node, 'new_axis', 0) === 1 ? list.map((item) => g.unsqueeze(item, [axis])) : list;
  return [g.concat(parts, axis)];
};

const count: Decomposition = (call) => {
  const list = listOf(call);
  return list && [call.g.scalar(list.length, 'int64')];
};

export const SEQUENCES: Record<string, Decomposition> = {
  SequenceEmpty: makes(() => []),
  SequenceConstruct: makes((call) => call.inputs.map((_, i) => inputOf(call, i))),
  SequenceInsert: insert,
  SequenceErase: erase,
  SequenceAt: at,
  SequenceLength: count,
  SplitToSequence: split,
  ConcatFromSequence: join,
};
