import { type Dim, intsAttribute, type Node, type Shape, stringAttribute } from './graph.ts';
import type { ResizedAxis } from './interpolation.ts';

/** The inputs of a Resize that say what becomes how large, as far as they are known. */
export interface ResizeInputs {
  readonly roi: readonly number[] | undefined;
  readonly scales: readonly number[] | undefined;
  readonly sizes: readonly (Dim | null)[] | undefined;
}

/** An axis of a Resize: its sizes, and its scale where that is known. */
export type ResizeAxis = {
  readonly axis: number;
  readonly from: Dim;
  /** null where nothing is known. */
  readonly to: Dim | null;
  readonly scale: number | undefined;
  readonly roi: readonly [number, number] | undefined;
};

/**
 * The axes of a Resize node over `input`; undefined when neither scales nor sizes fit it.
 *
 * ONNX operator specification, Resize, attributes `axes` and `keep_aspect_ratio_policy`.
 */
export function resizeAxes(
  node: Pick<Node, 'attributes'>,
  input: Shape,
  { roi, scales, sizes }: ResizeInputs,
): ResizeAxis[] | undefined {
  const rank = input.length;
  const axes = intsAttribute(node, 'axes')?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? [
    ...input.keys(),
  ];
  const list = scales && scales.length > 0 ? scales : sizes;
  if (!list || list.length !== axes.length || axes.some((axis) => !(axis in input))) return undefined;
  const region = (i: number): [number, number] | undefined =>
    roi?.length === 2 * axes.length ? [roi[i], roi[i + axes.length]] : undefined;
  if (list === scales) {
    return axes.map((axis, i) => {
      const [from, scale] = [input[axis], scales[i]];
      const cut = region(i);
      const part = cut && isCropped(node) ? cut[1] - cut[0] : 1;
      const to =
        typeof from === 'number' ? Math.floor(from * part * Math.fround(scale)) : scale === 1 ? from : null;
      return { axis, from, to, scale, roi: cut };
    });
  }
  const policy = stringAttribute(node, 'keep_aspect_ratio_policy', 'stretch');
  const ratios = axes.map((axis, i) => {
    const [from, to] = [input[axis], sizes?.[i]];
    return typeof from === 'number' && typeof to === 'number' ? to / from : from === to ? 1 : undefined;
  });
  const known = ratios.every((ratio) => ratio !== undefined);
  return axes.map((axis, i) => {
    const from = input[axis];
    const common = { axis, from, roi: region(i) };
    if (policy === 'stretch') return { ...common, to: sizes?.[i] ?? null, scale: ratios[i] };
    if (!known || typeof from !== 'number') return { ...common, to: null, scale: undefined };
    const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
    return { ...common, to: Math.floor(scale * from + 0.5), scale };
  });
}

/** Whether everything that the matrix of an axis needs is a number. */
export function isKnown(axis: ResizeAxis): axis is ResizeAxis & ResizedAxis {
  return typeof axis.from === 'number' && typeof axis.to === 'number' && axis.scale !== undefined;
}

function isCropped(node: Pick<Node, 'attributes'>): boolean {
  return stringAttribute(node, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize';
}
