import { type Dim, intAttribute, intsAttribute, stringAttribute } from '../graph.ts';
import { resizeAxes } from '../resize-geometry.ts';
import { toNumbers } from '../tensor.ts';
import {
  constantInts,
  formatShape,
  type InferenceRule,
  inputAt,
  rankListed,
  requireEqualDims,
  ShapeError,
} from './rule.ts';
import { divideDims, multiplyDims } from './size-expression.ts';

const resize: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const numbers = (index: number) => {
    const content = context.inputs[index] ? context.constant(index) : undefined;
    return content && toNumbers(content);
  };
  // Version 10 and Upsample have no region and no sizes.
  const old = context.opType === 'Upsample' || context.opset < 11;
  const given = intsOrFloats(context.attributes.get('scales'));
  const scales = given ?? numbers(old ? 1 : 2);
  const inputs = { roi: old ? undefined : numbers(1), scales, sizes: old ? undefined : context.sizes(3) };
  const result: Dim[] = [...shape];
  const axes = resizeAxes(context, shape, inputs);
  if (!axes) return [{ type, shape: shape.map(() => context.freshDim()) }];
  for (const { axis, to } of axes) result[axis] = to ?? context.freshDim();
  return [{ type, shape: result }];
};

function intsOrFloats(
  attribute: { kind: string; value: unknown } | undefined,
): readonly number[] | undefined {
  return attribute?.kind === 'floats' || attribute?.kind === 'ints'
    ? (attribute.value as number[])
    : undefined;
}

const depthToSpace: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const block = blockOf(context, shape.length);
  const [batch, channels, height, width] = shape;
  const depth =
    divideDims(channels, block * block) ?? (typeof channels === 'string' ? context.freshDim() : -1);
  if (depth === -1)
    throw new ShapeError(`${formatShape(shape)} has no multiple of ${block * block} channels`);
  return [{ type, shape: [batch, depth, multiplyDims(height, block), multiplyDims(width, block)] }];
};

const spaceToDepth: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const block = blockOf(context, shape.length);
  const [batch, channels, ...places] = shape;
  const smaller = places.map((size) => divideDims(size, block) ?? context.freshDim());
  return [{ type, shape: [batch, multiplyDims(channels, block * block), ...smaller] }];
};

function blockOf(context: Parameters<InferenceRule>[0], rank: number): number {
  const block = intAttribute(context, 'blocksize', 0);
  if (block < 1 || rank !== 4) throw new ShapeError(`blocksize ${block} over a rank of ${rank}`);
  return block;
}

const gridSample: InferenceRule = (context) => {
  const [x, grid] = [inputAt(context, 0), inputAt(context, 1)];
  if (x.shape.length !== grid.shape.length)
    throw new ShapeError(`a grid ${formatShape(grid.shape)} for ${formatShape(x.shape)}`);
  requireEqualDims(x.shape[0], grid.shape[0], 'the batches of input and grid');
  return [{ type: x.type, shape: [x.shape[0], x.shape[1], ...grid.shape.slice(1, -1)] }];
};

const affineGrid: InferenceRule = (context) => {
  const theta = inputAt(context, 0);
  const sizes = context.sizes(1);
  const rank = sizes?.length ?? rankListed(context, 1);
  const size = (axis: number) => sizes?.[axis] ?? context.freshDim();
  const spatial = Array.from({ length: rank - 2 }, (_, i) => size(i + 2));
  return [{ type: theta.type, shape: [sizes?.[0] ?? theta.shape[0], ...spatial, rank - 2] }];
};

const col2Im: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const image = context.sizes(1);
  const block = constantInts(context, 2);
  const rank = image?.length ?? rankListed(context, 1);
  const pixels = block?.reduce((product, size) => product * size, 1);
  const channels = (pixels && divideDims(shape[1], pixels)) ?? context.freshDim();
  const spatial = Array.from({ length: rank }, (_, axis) => image?.[axis] ?? context.freshDim());
  return [{ type, shape: [shape[0], channels, ...spatial] }];
};

const maxUnpool: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const given = context.inputs[2] ? context.sizes(2) : undefined;
  if (given) return [{ type, shape: given.map((size) => size ?? context.freshDim()) }];
  const kernel = intsAttribute(context, 'kernel_shape') ?? [];
  const strides = intsAttribute(context, 'strides') ?? kernel.map(() => 1);
  const pads = intsAttribute(context, 'pads') ?? kernel.flatMap(() => [0, 0]);
  const spatial = shape.slice(2).map((size, axis): Dim => {
    if (typeof size !== 'number' || context.inputs[2]) return context.freshDim();
    return (size - 1) * strides[axis] - pads[axis] - pads[axis + kernel.length] + kernel[axis];
  });
  return [{ type, shape: [shape[0], shape[1], ...spatial] }];
};

const roiAlign: InferenceRule = (context) => {
  const [x, rois] = [inputAt(context, 0), inputAt(context, 1)];
  const sides = ['output_height', 'output_width'].map((name) => intAttribute(context, name, 1));
  if (!['avg', 'max'].includes(stringAttribute(context, 'mode', 'avg'))) throw new ShapeError('its mode');
  return [{ type: x.type, shape: [rois.shape[0], x.shape[1], ...sides] }];
};

export const RESAMPLING_RULES: Record<string, InferenceRule> = {
  Resize: resize,
  Upsample: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  GridSample: gridSample,
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  MaxUnpool: maxUnpool,
  RoiAlign: roiAlign,
};
