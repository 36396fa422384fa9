import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ImageInputs } from './backbone.ts';
import type { ParameterMaker } from './parameters.ts';

export interface PatchNames {
  readonly projection: string;
  readonly classToken: string;
  readonly positions: string;
}

export interface PatchOptions {
  /** Pixels along each side of a patch. */
  readonly patch: number;
  /** Of a vector. */
  readonly width: number;
  /** Of weights, at the start. */
  readonly deviation: number;
  /** Whether the projection has a bias. */
  readonly bias: boolean;
}

/** The patches of an image as a sequence, and how they lie in it. */
export interface ImagePatches {
  /** float32 [B, 1 + rows * columns, width]: the class token, then the patches row by row. */
  readonly hidden: TypedValue;
  readonly rows: number;
  readonly columns: number;
}

/**
 * An image cut into patches, a vector for each, behind a class token; with a learnt vector for each place added (Dosovitskiy et al.,
 * 2021, section 3.1). Declares the input `pixel_values`.
 *
 * @throws LimbeckError `recipe.invalid` for patches that do not divide the image
 */
export function imagePatches(
  g: GraphBuilder,
  make: ParameterMaker,
  { channels, height, width: pixels }: ImageInputs,
  { patch, width, deviation, bias }: PatchOptions,
  names: PatchNames,
): ImagePatches {
  requireWhole(patch, height, pixels);
  const [rows, columns] = [height / patch, pixels / patch];
  const image = g.input('pixel_values', 'float32', ['batch', channels, height, pixels]);
  const patches = g.scope(names.projection, () => {
    const weight = make.normal('weight', [width, channels, patch, patch], deviation);
    const shift = bias ? make.constant('bias', [width], 0) : null;
    return g.op('Conv', [image, weight, shift], { kernel_shape: [patch, patch], strides: [patch, patch] });
  });
  const sequence = g.transpose(g.reshape(patches, [0, width, -1]), [0, 2, 1]);
  const token = make.normal(names.classToken, [1, 1, width], deviation);
  const each = g.concat([g.slice(g.shapeOf(image), 0, 0, 1), g.ints([1, width])], 0);
  const all = g.concat([g.op('Expand', [token, each]), sequence], 1);
  const positions = make.normal(names.positions, [1, 1 + rows * columns, width], deviation);
  return { hidden: g.add(all, positions), rows, columns };
}

function requireWhole(patch: number, height: number, width: number): void {
  if (height % patch === 0 && width % patch === 0) return;
  throw new LimbeckError('recipe.invalid', `patches of ${patch} pixels do not divide ${width} x ${height}`, {
    where: 'student.patch',
    remedy: 'Choose a patch that divides the size of the images, or their size (inputs.NAME.size).',
  });
}
