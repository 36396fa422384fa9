import { floatAttribute, intAttribute, intsAttribute, type Node, type Value } from '../../graph.ts';
import { type NodeEmitter, withoutAttributes } from '../../node-emitter.ts';
import { float32, int64, tensor } from '../../tensor.ts';
import type { Change } from './change.ts';

/** The attributes `names`, lists of whole numbers, become the inputs after the first, in this order. */
export function listsToInputs(...names: readonly string[]): Change {
  return (emit, node) => {
    const inputs: (Value | null)[] = names.map((name) => {
      const values = intsAttribute(node, name);
      return values ? emit.ints(nameOf(node, name), values) : null;
    });
    while (inputs.at(-1) === null) inputs.pop();
    emit.push({
      ...node,
      inputs: [...node.inputs.slice(0, 1), ...inputs],
      attributes: withoutAttributes(node, ...names),
    });
  };
}

/** `k` of TopK. */
export const kToInput: Change = (emit, node) => {
  emit.push({
    ...node,
    inputs: [node.inputs[0]!, emit.ints(nameOf(node, 'k'), [intAttribute(node, 'k', 1)])],
    attributes: withoutAttributes(node, 'k'),
  });
};

/** `axis` of DFT becomes its third input, a scalar; it was 1 where it was left out, and would be -2. */
export const axisOfTransform: Change = (emit, node) => {
  const axis = emit.constant(nameOf(node, 'axis'), int64([intAttribute(node, 'axis', 1)], []));
  emit.push({
    ...node,
    inputs: [node.inputs[0]!, node.inputs[1] ?? null, axis],
    attributes: withoutAttributes(node, 'axis'),
  });
};

/**
 * `min` and `max` of Clip become scalars of the type of x, which the file need not say: CastLike takes it from x.
 * Bounds that were left out stay so.
 */
export const boundsToInputs: Change = (emit, node) => {
  const x = node.inputs[0]!;
  const bound = (name: string) =>
    node.attributes.has(name) ? scalarLike(emit, node, name, floatAttribute(node, name, 0), x) : null;
  const [low, high] = [bound('min'), bound('max')];
  emit.push({
    ...node,
    inputs: high ? [x, low, high] : low ? [x, low] : [x],
    attributes: withoutAttributes(node, 'min', 'max'),
  });
};

/** `pads` and `value` of Pad. */
export const padsToInputs: Change = (emit, node) => {
  const x = node.inputs[0]!;
  const value = floatAttribute(node, 'value', 0);
  const pads = emit.ints(nameOf(node, 'pads'), intsAttribute(node, 'pads') ?? []);
  emit.push({
    ...node,
    inputs: value === 0 ? [x, pads] : [x, pads, scalarLike(emit, node, 'value', value, x)],
    attributes: withoutAttributes(node, 'pads', 'value'),
  });
};

/**
 * `ratio` of Dropout. The node of before never dropped anything unless it ran in training, which exporters leave out:
 * without the input training_mode it stays so. Its mask was of the type of x until version 10.
 */
export const ratioToInput: Change = (emit, node) => {
  const x = node.inputs[0]!;
  const ratio = scalarLike(emit, node, 'ratio', floatAttribute(node, 'ratio', 0.5), x);
  emit.push({ ...node, inputs: [x, ratio], attributes: withoutAttributes(node, 'ratio') });
};

export const maskOfNumbers: Change = (emit, node) => {
  const [x, mask] = [node.inputs[0]!, node.outputs[1]];
  const chosen = mask ? emit.value(`${mask.name}/bool`) : null;
  emit.push({ ...node, outputs: chosen ? [node.outputs[0]!, chosen] : [node.outputs[0]!] });
  if (mask && chosen) emit.op('CastLike', [chosen, x], {}, mask);
};

/** `split` of Split. Without it the parts were equal. */
export const splitToInput = listsToInputs('split');

/** From 18 on a Split into equal parts says how many. */
export const partsOfSplit: Change = (emit, node) => {
  const parts = node.inputs[1] ? [] : [['num_outputs', { kind: 'int', value: node.outputs.length }] as const];
  emit.push({ ...node, attributes: new Map([...node.attributes, ...parts]) });
};

function nameOf(node: Node, attribute: string): string {
  return `${node.outputs.find((value) => value)?.name ?? node.name}/${attribute}`;
}

/** A float scalar of the type of `like`. CastLike is of opset 15; the upgrade always goes beyond that. */
function scalarLike(emit: NodeEmitter, node: Node, name: string, value: number, like: Value): Value {
  const { type } = like;
  if (type === 'float64') {
    return emit.constant(nameOf(node, name), tensor('float64', [], Float64Array.of(value)));
  }
  const scalar = emit.constant(nameOf(node, name), float32([value], []));
  return type === 'float32' ? scalar : emit.op('CastLike', [scalar, like]);
}
