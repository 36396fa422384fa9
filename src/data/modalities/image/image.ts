import { z } from 'zod';
import { LimbeckError } from '../../../errors.ts';
import { nodeModule } from '../../../platform/node-modules.ts';
import { readSettingsJson, SettingsTooLargeError } from '../../../settings-file.ts';
import { defineModality, type ModalityContext } from '../modality.ts';
import { canvasLibrary } from './canvas-library.ts';
import { ImageProcessor, type ImageProcessorOptions } from './image-processor.ts';
import {
  fixedSize,
  type Preprocessing,
  RESAMPLING,
  type Resampling,
  readPreprocessing,
  type Size,
} from './preprocessing.ts';
import { sharpLibrary } from './sharp-library.ts';
import { TwoSizedProcessor } from './two-sized-processor.ts';
import type { Dims } from './variation.ts';

const resamplings = Object.keys(RESAMPLING) as [Resampling, ...Resampling[]];
/** Pixels along a side that an image may get: batches of larger ones fit into no memory. */
const LONGEST_SIDE = 4096;
const side = z.int().min(1).max(LONGEST_SIDE);
const perChannel = z.array(z.number()).min(1).max(3);

const options = z
  .strictObject({
    size: z
      .union([side, z.strictObject({ height: side, width: side })])
      .optional()
      .describe('Pixels along both sides that every image gets, or its height and width.'),
    fit: z
      .enum(['crop', 'stretch'])
      .default('crop')
      .describe(
        'Images of other proportions: their middle is cut out, or they are stretched. Stretched to a size that is not square.',
      ),
    resample: z
      .enum(resamplings)
      .default('lanczos')
      .describe(
        'How images are resized. Only lanczos takes every pixel into account where they become smaller.',
      ),
    channels: z
      .union([z.literal(1), z.literal(3)])
      .optional()
      .describe('1: grey; 3: red, green and blue. What the source has, or 3.'),
    background: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, { error: 'expected a colour like #ffffff' })
      .optional()
      .describe(
        'The colour (as #rrggbb) that shows through where images are transparent, and around those that data.augmentation moves. White, and black around, when absent.',
      ),
    normalization: z
      .union([
        z.enum(['data', 'none']),
        z.strictObject({
          mean: perChannel,
          deviation: perChannel.refine((list) => list.every((one) => one > 0)),
        }),
      ])
      .default('data')
      .describe(
        'Mean and deviation that each channel (0 to 1) is normalised by; `data` measures those of the training images.',
      ),
    preprocessor: z
      .string()
      .min(1)
      .optional()
      .describe(
        "A model's preprocessor_config.json, which then says size, fit, resample and normalization, as transformers.js reads it.",
      ),
    maxPixels: z
      .int()
      .min(1)
      .max(1e9)
      .default(50e6)
      .describe('An image of more pixels is a broken row: decoding takes four bytes of memory for each.'),
  })
  .describe('Images: PNG, JPEG, WebP and GIF files (of an animated one the first frame), or pixels.');

export type ImageOptions = z.output<typeof options>;

/**
 * Images as `pixel_values`, float32 [batch, channels, height, width]. All of a data set have one size: they are resized to it
 * once, and kept as bytes.
 */
export const image = defineModality({
  kind: 'image',
  readsFiles: true,
  options,
  open(chosen, context) {
    const library = nodeModule('node:fs') ? sharpLibrary() : canvasLibrary();
    const own = { ...processorOptions(chosen, context), library };
    const [, height, width] = own.dims;
    const isOther = (size: Size | undefined) =>
      size !== undefined && (size.height !== height || size.width !== width);
    const wanted = context.teacherImages?.find((one) => isOther(fixedSize(one)));
    const size = wanted && fixedSize(wanted);
    if (!size) return new ImageProcessor(own);
    requireSides(size, `inputs.${context.input}`, 'the teacher', 'Export it for smaller images.');
    const teacher = new ImageProcessor({
      ...own,
      dims: [3, size.height, size.width],
      preprocessing: wanted,
      isMeasured: false,
      outside: own.outside.length === 3 ? own.outside : Array<number>(3).fill(own.outside[0] ?? 0),
    });
    return new TwoSizedProcessor(own, teacher);
  },
});

/**
 * All that a processor needs to know.
 *
 * @throws LimbeckError `data.options` where the size of the images is unknown or too large; `data.preprocessor`
 */
export function processorOptions(
  chosen: ImageOptions,
  context: Pick<ModalityContext, 'input' | 'declared' | 'resolvePath'>,
): Omit<ImageProcessorOptions, 'library'> {
  const { background, maxPixels } = chosen;
  const declared = context.declared?.dims;
  const preprocessing =
    chosen.preprocessor === undefined
      ? preprocessingOf(chosen, declared)
      : fromFile(chosen.preprocessor, context);
  const size = fixedSize(preprocessing);
  if (!size) {
    throw new LimbeckError('data.options', 'the images have no common size', {
      where: `inputs.${context.input}`,
      remedy: `Set inputs.${context.input}.size (32 for icons, 224 for photos).`,
    });
  }
  requireSides(
    size,
    chosen.preprocessor ?? `inputs.${context.input}`,
    chosen.preprocessor === undefined ? 'the data' : 'the file',
    `Set a smaller size in it, or inputs.${context.input}.size in its place.`,
  );
  const channels = chosen.channels ?? declared?.[0] ?? 3;
  if (channels !== 1 && channels !== 3) throw new Error(`images of ${channels} channels`);
  const dims: Dims = [channels, size.height, size.width];
  const isPlain = chosen.preprocessor === undefined && chosen.normalization === 'none';
  return {
    dims,
    // Written out, so that readers of the student find numbers.
    preprocessing: isPlain ? { ...preprocessing, normalization: unchanged(channels) } : preprocessing,
    isMeasured: chosen.preprocessor === undefined && chosen.normalization === 'data',
    background: background ?? '#ffffff',
    outside: background === undefined ? [0, 0, 0] : coloursOf(background, channels),
    maxPixels,
    resolvePath: context.resolvePath,
  };
}

/** @throws LimbeckError `data.options` for a size that comes from outside and is none that images have */
function requireSides({ height, width }: Size, where: string, who: string, remedy: string): void {
  if (Math.min(height, width) >= 1 && Math.max(height, width) <= LONGEST_SIDE) return;
  throw new LimbeckError(
    'data.options',
    `${who} wants images of ${width}x${height} pixels; sides may have 1 to ${LONGEST_SIDE}`,
    { where, remedy },
  );
}

function preprocessingOf(
  { size, fit, resample, normalization }: ImageOptions,
  declared: Dims | undefined,
): Preprocessing {
  const [height, width] =
    typeof size === 'number' ? [size, size] : size ? [size.height, size.width] : (declared?.slice(1) ?? []);
  const isOwn = size === undefined && declared !== undefined;
  return {
    ...(height !== undefined && width !== undefined && sizeOf(height, width, isOwn ? 'stretch' : fit)),
    // Images that need no resizing are the same by any filter; a reader of the student most likely has this one.
    resample: isOwn ? 'bilinear' : resample,
    rescale: 1 / 255,
    ...(typeof normalization === 'object' && { normalization }),
  };
}

function sizeOf(
  height: number,
  width: number,
  fit: ImageOptions['fit'],
): Pick<Preprocessing, 'resize' | 'crop'> {
  if (fit === 'stretch' || height !== width) return { resize: { height, width } };
  return { resize: { shortestEdge: height }, crop: { height, width } };
}

function fromFile(
  path: string,
  { input, resolvePath }: Pick<ModalityContext, 'input' | 'resolvePath'>,
): Preprocessing {
  const file = resolvePath(path);
  let json: unknown;
  try {
    json = readSettingsJson(file);
  } catch (cause) {
    if (cause instanceof SettingsTooLargeError) throw cause;
    throw new LimbeckError(
      'data.preprocessor',
      `the preprocessor_config.json cannot be read: ${(cause as Error).message}`,
      {
        where: file,
        remedy: `Correct inputs.${input}.preprocessor.`,
        cause,
      },
    );
  }
  return readPreprocessing(json, file);
}

/** The normalisation that changes nothing. */
function unchanged(channels: number): NonNullable<Preprocessing['normalization']> {
  return { mean: new Array<number>(channels).fill(0), deviation: new Array<number>(channels).fill(1) };
}

/** The channels of `#rrggbb`. */
function coloursOf(background: string, channels: 1 | 3): number[] {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(background.slice(at, at + 2), 16)) as [
    number,
    number,
    number,
  ];
  return channels === 3 ? [red, green, blue] : [Math.round(0.299 * red + 0.587 * green + 0.114 * blue)];
}
