import { z } from 'zod';
import { LimbeckError } from '../../../errors.ts';

/** Resampling filters by their numbers in `preprocessor_config.json` (PIL's). */
export const RESAMPLING = { nearest: 0, lanczos: 1, bilinear: 2, bicubic: 3 } as const;

export type Resampling = keyof typeof RESAMPLING;

/** Pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** How an image becomes a model's pixels, as the fields of a `preprocessor_config.json` say it. */
export interface Preprocessing {
  /** A size, or how long the shorter edge becomes while the proportions stay; absent where nothing is resized. */
  readonly resize?: Size | { readonly shortestEdge: number; readonly longestEdge?: number };
  /** The part that is cut out of the middle; where the image is smaller, black surrounds it. */
  readonly crop?: Size;
  readonly resample: Resampling;
  /** Pixel bytes are multiplied by it. */
  readonly rescale: number;
  /** Subtracted from each channel, and what the difference is divided by; absent where nothing is normalised. */
  readonly normalization?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
}

const side = z.int().positive().max(16384);
const sizes = z.union([
  side,
  z.looseObject({
    height: side.optional(),
    width: side.optional(),
    shortest_edge: side.optional(),
    longest_edge: side.optional(),
  }),
]);
const perChannel = z.union([z.number(), z.array(z.number()).min(1).max(4)]);
const schema = z.looseObject({
  do_resize: z.boolean().nullish(),
  size: sizes.nullish(),
  resample: z.int().min(0).max(5).nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: sizes.nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: perChannel.nullish(),
  image_std: perChannel.nullish(),
});

/** What changes an image and is done nowhere here: a configuration that asks for it is refused. */
const UNSUPPORTED = [
  'do_pad',
  'do_thumbnail',
  'do_crop_margin',
  'do_flip_channel_order',
  'crop_pct',
  'size_divisor',
];

/**
 * Reads the fields of a `preprocessor_config.json` as transformers.js does: `size` as a number is the shorter edge, limited
 * on the longer one by the same number; PIL's box and Hamming filters are bilinear.
 *
 * @throws LimbeckError `data.preprocessor` with the field that cannot be used
 */
export function readPreprocessing(json: unknown, where: string): Preprocessing {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`its ${issue?.path.join('.') || 'content'} is not usable (${issue?.message})`, where);
  }
  const config = parsed.data;
  const asked = UNSUPPORTED.find(
    (field) => config[field] !== undefined && config[field] !== null && config[field] !== false,
  );
  if (asked !== undefined) throw refused(`it asks for ${asked}, which is not supported`, where);
  const resize = config.do_resize === false || config.size == null ? undefined : resizeOf(config.size, where);
  const crop = config.do_center_crop === true ? cropOf(config.crop_size, where) : undefined;
  const isNormalized = config.do_normalize === true && config.image_mean != null && config.image_std != null;
  return {
    ...(resize && { resize }),
    ...(crop && { crop }),
    resample: resampleNamed(config.resample ?? RESAMPLING.bilinear),
    rescale: config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255),
    ...(isNormalized && {
      normalization: {
        mean: [config.image_mean as number | number[]].flat(),
        deviation: deviationsOf(config.image_std, where),
      },
    }),
  };
}

function refused(problem: string, where: string): LimbeckError {
  return new LimbeckError('data.preprocessor', `the preprocessor_config.json cannot be used: ${problem}`, {
    where,
    remedy: 'Say size, fit, resample and normalization in the recipe instead.',
  });
}

function deviationsOf(value: number | readonly number[] | null | undefined, where: string): number[] {
  const list = [value as number | number[]].flat();
  if (list.some((one) => !(one > 0))) throw refused('its image_std has a number that is not above 0', where);
  return list;
}

function resampleNamed(number: number): Resampling {
  const found = Object.entries(RESAMPLING).find(([, value]) => value === number);
  return (found?.[0] as Resampling | undefined) ?? 'bilinear';
}

type Sizes = z.output<typeof sizes>;

function resizeOf(size: Sizes, where: string): Preprocessing['resize'] {
  if (typeof size === 'number') return { shortestEdge: size, longestEdge: size };
  const { height, width, shortest_edge, longest_edge } = size;
  if (shortest_edge !== undefined) {
    return { shortestEdge: shortest_edge, ...(longest_edge !== undefined && { longestEdge: longest_edge }) };
  }
  if (height !== undefined && width !== undefined) return { height, width };
  throw refused('its size has neither height and width nor shortest_edge', where);
}

function cropOf(size: Sizes | null | undefined, where: string): Size {
  if (typeof size === 'number') return { height: size, width: size };
  if (size?.height !== undefined && size.width !== undefined)
    return { height: size.height, width: size.width };
  throw refused('it cuts the middle out, and its crop_size has no height and width', where);
}

/** Height and width of every image after resizing and cutting; undefined where they depend on the image. */
export function fixedSize({ resize, crop }: Preprocessing): Size | undefined {
  if (crop) return crop;
  return resize && 'height' in resize ? resize : undefined;
}

/** The size that an image is resized to before the middle is cut out. */
export function resizedSize(from: Size, { resize }: Pick<Preprocessing, 'resize'>): Size {
  if (!resize) return from;
  if ('height' in resize) return resize;
  const { shortestEdge, longestEdge } = resize;
  const short = Math.max(shortestEdge / from.width, shortestEdge / from.height);
  const [width, height] = [from.width * short, from.height * short];
  const long = longestEdge === undefined ? 1 : Math.min(longestEdge / width, longestEdge / height);
  // Two decimals, as transformers.js: 223.99999999 is 224.
  const whole = (length: number) => Math.max(1, Math.floor(Number((length * long).toFixed(2))));
  return { height: whole(height), width: whole(width) };
}

/** The content of a `preprocessor_config.json` that says the same. */
export function preprocessorConfig({
  resize,
  crop,
  resample,
  rescale,
  normalization,
}: Preprocessing): Record<string, unknown> {
  return {
    do_convert_rgb: true,
    do_resize: resize !== undefined,
    ...(resize && {
      size:
        'height' in resize
          ? { height: resize.height, width: resize.width }
          : {
              shortest_edge: resize.shortestEdge,
              ...(resize.longestEdge !== undefined && { longest_edge: resize.longestEdge }),
            },
      resample: RESAMPLING[resample],
    }),
    do_center_crop: crop !== undefined,
    ...(crop && { crop_size: { height: crop.height, width: crop.width } }),
    do_rescale: rescale !== 1,
    rescale_factor: rescale,
    do_normalize: normalization !== undefined,
    ...(normalization && { image_mean: normalization.mean, image_std: normalization.deviation }),
  };
}
