import type { Batch } from '../../data/batch.ts';
import { PIXEL_VALUES } from '../../data/columns.ts';
import { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import { fixedSize, type Preprocessing } from '../../data/modalities/image/preprocessing.ts';
import { TwoSizedProcessor } from '../../data/modalities/image/two-sized-processor.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import { LimbeckError } from '../../errors.ts';
import { weighedOptions } from '../../objectives/index.ts';
import { zeros } from '../../onnx/tensor.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { forDataPixels } from '../../teachers/image-model.ts';
import type { ImageTeacherSource, TeacherSource } from '../../teachers/teacher-source.ts';
import type { TeacherReading } from '../context/task.ts';
import { readingBy } from './reading-by.ts';
import { requireImages } from './require-classes.ts';

/** What there is to know of a teacher to show it images. */
type ImageReader = TeacherSource & Pick<ImageTeacherSource, 'dims' | 'pixels' | 'preprocessing'>;

/** Where a sample's image is among several inputs. */
interface AmongInputs {
  /** The place of the image. */
  readonly at: number;
  /** How the teacher reads the others, as part of the store's keys. */
  readonly reading: string;
}

/** A teacher as it is shown images. */
export interface ShownImages<T extends ImageReader> {
  readonly teacher: T;
  /** Where images are kept in its own size. */
  readonly reads?: TeacherReading;
}

/**
 * A teacher that reads images as it knows them: in the student's size with the pixels brought to its own range, or in its own size.
 *
 * @param among the other inputs of a sample
 * @throws LimbeckError as `ownImageReading`
 */
export function showImages<T extends ImageReader>(
  teacher: T,
  images: ImageProcessor,
  recipe: Pick<Recipe, 'data' | 'objective'>,
  among?: AmongInputs,
): ShownImages<T> {
  const own = ownImageReading(teacher, images, recipe, among);
  return own ?? { teacher: withGeometryNote(forImages(teacher, images), images) };
}

/** A teacher as images of the student's size are fed to it. @throws LimbeckError `teacher.inputs`, `teacher.config` */
export function forImages<T extends ImageReader>(teacher: T, images: ImageProcessor): T {
  const fitted = { ...teacher, model: forDataPixels(teacher.model, teacher.pixels, images) };
  requireImages(fitted, images.dims);
  return fitted;
}

/** Tells of images that have the teacher's size, and reached it otherwise than its files say. */
function withGeometryNote<T extends ImageReader>(teacher: T, images: ImageProcessor): T {
  const { preprocessing } = teacher;
  if (!teacher.pixels || !preprocessing) return teacher;
  const [own, asked] = [geometryOf(images.geometry), geometryOf(preprocessing)];
  if (own === asked) return teacher;
  const note = `the teacher's preprocessor_config.json makes its images otherwise than the data's are made (${asked}; the data: ${own}): it is shown the data's; inputs.NAME.preprocessor takes the file for both`;
  return { ...teacher, notes: [...(teacher.notes ?? []), note] };
}

/** How a size is reached, for people. */
function geometryOf({ resize, crop }: Preprocessing): string {
  const resized = !resize
    ? 'not resized'
    : 'height' in resize
      ? `stretched to ${resize.width}x${resize.height}`
      : `the shorter edge ${resize.shortestEdge}`;
  return crop ? `${resized}, the middle ${crop.width}x${crop.height} cut out` : resized;
}

/**
 * How a teacher reads images that are kept in its own size beside the student's; undefined where both have one size.
 *
 * @param among the other inputs of a sample
 * @throws LimbeckError `recipe.invalid` for what is made of the student's pixels, `teacher.inputs` for a teacher that the images
 *   are not kept for
 */
export function ownImageReading<T extends ImageReader>(
  teacher: T,
  images: ImageProcessor,
  { data, objective }: Pick<Recipe, 'data' | 'objective'>,
  among?: AmongInputs,
): Required<ShownImages<T>> | undefined {
  if (!(images instanceof TwoSizedProcessor)) return undefined;
  const [, height, width] = images.dims;
  const { height: ownHeight, width: ownWidth } = (teacher.preprocessing &&
    fixedSize(teacher.preprocessing)) ?? {
    height: teacher.dims[1] ?? height,
    width: teacher.dims[2] ?? width,
  };
  if (ownHeight === height && ownWidth === width) return undefined;
  if (data.mixup || data.adversarial) {
    throw new LimbeckError(
      'recipe.invalid',
      "samples that are made of the pixels of others are of the student's size alone",
      {
        where: `${data.mixup ? 'data.mixup' : 'data.adversarial'}, with a teacher of ${ownWidth}x${ownHeight} pixels`,
        remedy: 'Leave it out, or give the input the size of the teacher (inputs.NAME.size).',
      },
    );
  }
  refusePixelLosses(objective, `${ownWidth}x${ownHeight}`, `${width}x${height}`);
  const own = images.teacher;
  if (own.dims[1] !== ownHeight || own.dims[2] !== ownWidth) {
    throw new LimbeckError('teacher.inputs', 'images are kept in one size besides that of the student', {
      where: `${teacher.title} wants ${ownWidth}x${ownHeight} pixels, another teacher ${own.dims[2]}x${own.dims[1]}`,
      remedy: 'Take teachers of one size, or give the input the size of one of them (inputs.NAME.size).',
    });
  }
  requireImages(teacher, own.dims);
  // Where its files do not say how its pixels are normalised, they are as the data's.
  const normalization = teacher.pixels ? own.normalization : images.normalization;
  const form = teacher.pixels ?? {
    scale: 1 / 255,
    mean: normalization.mean,
    deviation: normalization.deviation,
  };
  const model = forDataPixels(teacher.model, form, { dims: own.dims, normalization: own.normalization });
  const size = own.bytesFor();
  const preprocessing = [...(among ? [among.reading] : []), `images ${own.hash}`].join(', ');
  const reads = readingBy({ preprocessing }, (batch: Batch, split) => {
    const columns = { [PIXEL_VALUES]: zeros('float32', [batch.rows, ...own.dims]) };
    for (let row = 0; row < batch.filled; row++) {
      const bytes = (split as RecordSplit).bytes(batch.ordinals[row] as number, among?.at);
      if (bytes) own.decode(images.teacherPart(bytes).subarray(0, size), columns, row);
    }
    return { columns: { ...batch.columns, ...columns }, sizes: batch.sizes };
  });
  return { teacher: { ...teacher, model }, reads };
}

/** Losses that lay the pixels of one model on those of the other, before anything is asked for them. */
function refusePixelLosses(objective: Recipe['objective'], teacher: string, student: string): void {
  const asksInStep = weighedOptions(objective, 'boundary').some(({ target }) => target === 'teacher');
  const problem =
    weighedOptions(objective, 'attribution').length > 0
      ? {
          where: 'objective.attribution',
          message: 'reasons are compared pixel by pixel, and the teacher has others than the student',
          remedy: 'Leave it out',
        }
      : asksInStep
        ? {
            where: 'objective.boundary.target: teacher',
            message:
              "the teacher cannot be asked about images of the student's size inside the training step",
            remedy: 'Take its kept answers (target: kept)',
          }
        : undefined;
  if (!problem) return;
  throw new LimbeckError('recipe.invalid', problem.message, {
    where: `${problem.where}, with a teacher of ${teacher} pixels and a student of ${student}`,
    remedy: `${problem.remedy}, or give the input the size of the teacher (inputs.NAME.size).`,
  });
}

/** How the images of a data set are read. */
export function imagesOf({ inputs }: Pick<PreparedDataset, 'inputs'>): ImageProcessor {
  const found = inputs.find(({ processor }) => processor instanceof ImageProcessor)?.processor;
  if (!found) throw new Error('the data set has no images');
  return found as ImageProcessor;
}
