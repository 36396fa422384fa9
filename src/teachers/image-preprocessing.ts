import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { readRegularText } from '../regular-file.ts';

/** What happens to the bytes of an image before a model sees them: (byte * scale - mean) / deviation, by channel. */
export interface PixelForm {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

const numbers = z.union([z.number(), z.array(z.number()).min(1)]);

/** The part of a `preprocessor_config.json` (or `processor_config.json`'s image part) that changes numbers. */
const schema = z.object({
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: numbers.nullish(),
  image_std: numbers.nullish(),
});

/**
 * How a model's `preprocessor_config.json` wants its pixels.
 *
 * @throws LimbeckError `teacher.config` for a file that is no JSON, or whose numbers are none
 */
export function readPixelForm(file: string): PixelForm {
  const config = parse(file);
  const scale = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255);
  const normalizes = config.do_normalize !== false && config.image_mean != null && config.image_std != null;
  const list = (value: number | number[] | null | undefined, fallback: number) =>
    normalizes && value != null ? [value].flat() : [fallback];
  const deviation = list(config.image_std, 1);
  if (deviation.some((value) => value <= 0))
    throw invalid(file, 'image_std has a number that is not above 0');
  return { scale, mean: list(config.image_mean, 0), deviation };
}

function parse(file: string): z.output<typeof schema> {
  try {
    return schema.parse(JSON.parse(readRegularText(file).replace(/^\uFEFF/, '')));
  } catch (cause) {
    const problem =
      cause instanceof z.ZodError ? `its ${cause.issues[0]?.path.join('.')} is not usable` : 'it is not JSON';
    throw invalid(file, problem, cause);
  }
}

function invalid(file: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError(
    'teacher.config',
    `the teacher's preprocessor_config.json cannot be read: ${problem}`,
    {
      where: file,
      remedy: 'Take the file that came with the model, or move this one away.',
      cause,
    },
  );
}
