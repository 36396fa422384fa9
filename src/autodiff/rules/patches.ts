import { intAttribute, intsAttribute, stringAttribute } from '../../onnx/graph.ts';
import { range } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';
import { reshapeTo, sizesOf } from '../sizes.ts';
import { kernelPlaces, padSpatial, takeSpatial } from './window-slices.ts';

/** Blocks of channels and places [N, C b b, H, W] side by side; the inverse of what it differentiates. */
const depthToSpace: GradientRule = (call) => {
  const { g, node } = call;
  const x = inputOf(call, 0);
  const dy = gradientOf(call);
  const block = intAttribute(node, 'blocksize', 1);
  if (stringAttribute(node, 'mode', 'DCR') === 'DCR')
    return [g.op('SpaceToDepth', [dy], { blocksize: block })];
  const [batch, , height, width] = sizesOf(g, x);
  const channels = sizesOf(g, dy)[1];
  const split = reshapeTo(g, dy, [batch, channels, height, block, width, block]);
  return [reshapeTo(g, g.transpose(split, [0, 1, 3, 5, 2, 4]), sizesOf(g, x))];
};

const spaceToDepth: GradientRule = (call) => [
  call.g.op('DepthToSpace', [gradientOf(call)], {
    blocksize: intAttribute(call.node, 'blocksize', 1),
    mode: 'DCR',
  }),
];

/** Columns that were added up at a pixel each get its gradient: for each place of the block, the pixels that it fell on. */
const col2Im: GradientRule = (call) => {
  const { g, node } = call;
  const dy = gradientOf(call);
  const [image, block] = [constantInts(call, 1), constantInts(call, 2)];
  const each = (name: string, fallback: number) =>
    intsAttribute(node, name) ?? new Array<number>(block.length).fill(fallback);
  const [strides, dilations] = [each('strides', 1), each('dilations', 1)];
  const pads = intsAttribute(node, 'pads') ?? new Array<number>(2 * block.length).fill(0);
  const [before, after] = [pads.slice(0, block.length), pads.slice(block.length)];
  const counts = block.map((size, axis) => {
    const room = image[axis] + before[axis] + after[axis] - ((size - 1) * dilations[axis] + 1);
    return Math.floor(room / strides[axis]) + 1;
  });
  const padded = padSpatial(g, dy, before, after);
  const [batch, channels] = sizesOf(g, dy);
  const columns = counts.reduce((product, count) => product * count, 1);
  const patches = kernelPlaces(block).map((place) => {
    const seen = takeSpatial(
      g,
      padded,
      range(block.length).map((axis) => ({
        start: place[axis] * dilations[axis],
        count: counts[axis],
        step: strides[axis],
      })),
    );
    return reshapeTo(g, seen, [batch, channels, 1, columns]);
  });
  return [reshapeTo(g, g.concat(patches, 2), sizesOf(g, inputOf(call, 0)))];
};

function constantInts(call: GradientCall, index: number): number[] {
  const content = call.g.constantOf(inputOf(call, index));
  if (!content) throw new UnsupportedGradient('its sizes are not constant');
  return Array.from(content.data as BigInt64Array, Number);
}

export const PATCH_RULES: Record<string, GradientRule> = {
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Col2Im: col2Im,
};
