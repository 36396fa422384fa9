import { z } from 'zod';
import { fixedSize, type Preprocessing, readPreprocessing } from '../data/modalities/image/preprocessing.ts';
import { LimbeckError } from '../errors.ts';
import type { ModelFiles } from './model-folder.ts';
import {
  invalidPreprocessor,
  type PreprocessorConfig,
  readPreprocessorConfig,
} from './preprocessor-config.ts';

/** What happens to the bytes of an image before a model sees them: (byte * scale - mean) / deviation, by channel. */
export interface PixelForm {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Whether it sees blue, green and red in this order; mean and deviation are of red, green and blue. */
  readonly isReversed?: boolean;
}

/** How a model wants its images. */
export interface OwnImages {
  /** Absent where nothing says it: then as the data are normalised. */
  readonly pixels?: PixelForm;
  /** How it makes its images, where its size is known. */
  readonly preprocessing?: Preprocessing;
  /** What was assumed. */
  readonly notes: readonly string[];
}

const numbers = z.union([z.number(), z.array(z.number()).min(1)]);

/** The part of a `preprocessor_config.json` that changes numbers. */
const schema = z.object({
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: numbers.nullish(),
  image_std: numbers.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
});

/**
 * How a model's files say that its images are made: numbers, size, and how that size is reached.
 *
 * @param dims [channels, height, width] of its input; undefined for sizes that it leaves open
 * @throws LimbeckError `teacher.config` for a file that is no JSON, or whose numbers are none
 */
export function ownImages(
  files: Pick<ModelFiles, 'folders'>,
  dims: readonly (number | undefined)[],
): OwnImages {
  const config = readPreprocessorConfig(files, 'image_processor');
  if (!config) {
    const preprocessing = sizedPreprocessing(undefined, dims);
    return {
      ...(preprocessing && { preprocessing }),
      notes: [
        'there is no preprocessor_config.json beside the teacher: its pixels are taken to be normalised by the mean and deviation of the training images',
      ],
    };
  }
  const pixels = readPixelForm(config);
  const read = readGeometry(config);
  const preprocessing = sizedPreprocessing(read.preprocessing, dims);
  return { pixels, ...(preprocessing && { preprocessing }), notes: read.notes };
}

/** What a `preprocessor_config.json` makes of bytes. @throws LimbeckError `teacher.config` */
function readPixelForm({ file, json }: PreprocessorConfig): PixelForm {
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw invalidPreprocessor(
      file,
      `its ${parsed.error.issues[0]?.path.join('.')} is not usable`,
      parsed.error,
    );
  const config = parsed.data;
  const scale = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255);
  const normalizes = config.do_normalize !== false && config.image_mean != null && config.image_std != null;
  const list = (value: number | number[] | null | undefined, fallback: number) =>
    normalizes && value != null ? [value].flat() : [fallback];
  const deviation = list(config.image_std, 1);
  if (deviation.some((value) => value <= 0))
    throw invalidPreprocessor(file, 'image_std has a number that is not above 0');
  return {
    scale,
    mean: list(config.image_mean, 0),
    deviation,
    ...(config.do_flip_channel_order === true && { isReversed: true }),
  };
}

/** How images are resized and cut; nothing, and why, for a file that asks for what is done nowhere here. */
function readGeometry({ file, json }: PreprocessorConfig): {
  readonly preprocessing?: Preprocessing;
  readonly notes: readonly string[];
} {
  // The order of channels is the model's own business (`PixelForm`).
  const { do_flip_channel_order: _, ...geometry } = json;
  try {
    return { preprocessing: readPreprocessing(geometry, file), notes: [] };
  } catch (error) {
    if (!(error instanceof LimbeckError)) throw error;
    return {
      notes: [`the teacher's images are resized to its size and no more: ${error.message} (${file})`],
    };
  }
}

/**
 * How a model makes its images: as its file says, in the size that its input has. Undefined where neither tells the size: then it
 * reads images of the data's size.
 */
function sizedPreprocessing(
  read: Preprocessing | undefined,
  [, height, width]: readonly (number | undefined)[],
): Preprocessing | undefined {
  const own = height !== undefined && width !== undefined ? { height, width } : undefined;
  const told = read && fixedSize(read);
  if (read && told && (!own || (own.height === told.height && own.width === told.width))) return read;
  // A size that depends on the image, or another than the model's: the model has the last word.
  const form = read ?? { resample: 'bilinear' as const, rescale: 1 / 255 };
  return own && { ...form, resize: own, ...(form.crop && { crop: own }) };
}
