import { type Attribute, intAttribute } from '../../graph.ts';
import type { Change } from './change.ts';

/**
 * Before 13, Softmax, LogSoftmax and Hardmax flattened their input to a matrix at `axis` (1 by default) and worked on
 * its rows. Where the axis is the last one that is the same as now.
 */
export const flattening: Change = (emit, node) => {
  const x = node.inputs[0]!;
  const axis = intAttribute(node, 'axis', 1);
  const last: ReadonlyMap<string, Attribute> = new Map([['axis', { kind: 'int', value: -1 }]]);
  if (axis === -1 || axis + 1 === x.shape?.length) {
    emit.push({ ...node, attributes: last });
    return;
  }
  const rows = emit.op('Flatten', [x], { axis });
  const result = emit.value(node.opType);
  emit.push({ ...node, inputs: [rows], outputs: [result], attributes: last });
  emit.op('Reshape', [result, emit.op('Shape', [x])], { allowzero: 1 }, node.outputs[0]!);
};
