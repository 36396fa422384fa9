import { LimbeckError } from '../../../errors.ts';
import { intAttribute, stringAttribute } from '../../graph.ts';
import { withoutAttributes } from '../../node-emitter.ts';
import { float32 } from '../../tensor.ts';
import type { Change } from './change.ts';

/** The scales of Upsample were an attribute until 9. */
export const scalesToInput: Change = (emit, node) => {
  const scales = node.attributes.get('scales');
  const values = scales?.kind === 'floats' ? scales.value : [];
  emit.push({
    ...node,
    inputs: [node.inputs[0]!, emit.constant(`${node.outputs[0]!.name}/scales`, float32(values))],
    attributes: withoutAttributes(node, 'scales'),
  });
};

/** Resize of version 10 is Upsample that also makes smaller. */
export const upsampleToResize: Change = (emit, node) => emit.push({ ...node, opType: 'Resize' });

/**
 * Until 10, an element of the output at i was that of the input at i / scale, rounded down (by ONNX Runtime: up, where
 * the scale is below 1, which it can only be for a Resize).
 */
export const placesOfResize: Change = (emit, node) => {
  const [x, scales] = [node.inputs[0]!, node.inputs[1]!];
  const nearest = stringAttribute(node, 'mode', 'nearest') === 'nearest';
  const noRegion = emit.constant(`${node.outputs[0]!.name}/roi`, float32([]));
  emit.push({
    ...node,
    inputs: [x, noRegion, scales],
    attributes: new Map([
      ...node.attributes,
      ['coordinate_transformation_mode', { kind: 'string', value: 'asymmetric' }],
      ...(nearest ? [['nearest_mode', { kind: 'string', value: 'floor' }] as const] : []),
    ]),
  });
};

/** Version 13 has no `tf_half_pixel_for_nn`. */
export const withoutHalfPixelForNearest: Change = (emit, node) => {
  if (stringAttribute(node, 'coordinate_transformation_mode', '') === 'tf_half_pixel_for_nn') {
    throw new LimbeckError('model.opset', 'Resize with tf_half_pixel_for_nn is not in newer operator sets', {
      where: `node '${node.name}'`,
      remedy: 'Export the model with opset 13 or newer.',
    });
  }
  emit.push(node);
};

/** The modes of GridSample have other names from 20 on. */
export const modesOfGridSample: Change = (emit, node) => {
  const names = new Map([
    ['bilinear', 'linear'],
    ['bicubic', 'cubic'],
  ]);
  const mode = stringAttribute(node, 'mode', 'bilinear');
  emit.push({
    ...node,
    attributes: new Map([
      ...node.attributes,
      ['mode', { kind: 'string', value: names.get(mode) ?? mode }],
      ['align_corners', { kind: 'int', value: intAttribute(node, 'align_corners', 0) }],
    ]),
  });
};

/** RoiAlign did not shift by half a pixel until 16, and does by default from then on. */
export const placesOfRoiAlign: Change = (emit, node) =>
  emit.push({
    ...node,
    attributes: new Map([
      ...node.attributes,
      ['coordinate_transformation_mode', { kind: 'string', value: 'output_half_pixel' }],
    ]),
  });
