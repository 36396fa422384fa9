import { LimbeckError } from '../../../errors.ts';
import { intAttribute } from '../../graph.ts';
import { withoutAttributes } from '../../node-emitter.ts';
import type { Change } from './change.ts';

/** Until 8 a BatchNormalization could have statistics for every element, which no exporter emits. */
export const spatialOnly: Change = (emit, node) => {
  if (intAttribute(node, 'spatial', 1) !== 1) {
    throw new LimbeckError('model.opset', 'BatchNormalization with spatial=0 is not in newer operator sets', {
      where: `node '${node.name}'`,
      remedy: 'Export the model with opset 9 or newer.',
    });
  }
  emit.push({ ...node, attributes: withoutAttributes(node, 'spatial') });
};

/**
 * Until 13 a BatchNormalization trained when it had more outputs than y; then it says so. The saved statistics
 * (outputs 3 and 4) were for a backward pass, which we make ourselves.
 */
export const trainingMode: Change = (emit, node) => {
  const trains = node.outputs.slice(1).some((value) => value !== null);
  emit.push({
    ...node,
    outputs: node.outputs.slice(0, trains ? 3 : 1),
    attributes: trains
      ? new Map([...node.attributes, ['training_mode', { kind: 'int', value: 1 }]])
      : node.attributes,
  });
};

/** From 21 on GroupNormalization has a scale and a bias for every channel, not for every group. */
export const channelsOfGroups: Change = (emit, node) => {
  const [x, scale, bias] = node.inputs;
  const groups = intAttribute(node, 'num_groups', 1);
  const channels = emit.op('Shape', [x!], { start: 1, end: 2 });
  const perGroup = emit.op('Div', [channels, emit.ints('groups', [groups])]);
  const shape = emit.op('Concat', [emit.ints('groups', [groups]), perGroup], { axis: 0 });
  const repeated = (value: typeof x) => {
    const column = emit.op('Unsqueeze', [value!, emit.ints('axes', [1])]);
    return emit.op('Reshape', [emit.op('Expand', [column, shape]), emit.ints('shape', [-1])]);
  };
  emit.push({ ...node, inputs: [x!, repeated(scale), repeated(bias)] });
};
