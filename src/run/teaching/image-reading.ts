import type { Batch } from '../../data/batch.ts';
import { PIXEL_VALUES } from '../../data/columns.ts';
import type { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import { fixedSize } from '../../data/modalities/image/preprocessing.ts';
import { TwoSizedProcessor } from '../../data/modalities/image/two-sized-processor.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import { LimbeckError } from '../../errors.ts';
import { weighedOptions } from '../../objectives/index.ts';
import { zeros } from '../../onnx/tensor.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { forDataPixels } from '../../teachers/image-model.ts';
import type { ImageTeacherSource } from '../../teachers/teacher-source.ts';
import type { TeacherReading } from '../context/task.ts';
import { readingBy } from './reading-by.ts';
import { requireImages } from './require-classes.ts';

/** A teacher of images with a size of its own, and how it reads them. */
export interface OwnImages {
  readonly teacher: ImageTeacherSource;
  readonly reads: TeacherReading;
}

/**
 * How a teacher reads images that are kept in its own size beside the student's; undefined where both have one size.
 *
 * @throws LimbeckError `recipe.invalid` for what is made of the student's pixels, `teacher.inputs` for a teacher that the images
 *   are not kept for
 */
export function ownImageReading(
  teacher: ImageTeacherSource,
  images: ImageProcessor,
  { data, objective }: Pick<Recipe, 'data' | 'objective'>,
): OwnImages | undefined {
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
  const reads = readingBy({ preprocessing: `images ${own.hash}` }, (batch: Batch, split) => {
    const columns = { [PIXEL_VALUES]: zeros('float32', [batch.rows, ...own.dims]) };
    for (let row = 0; row < batch.filled; row++) {
      const bytes = (split as RecordSplit).bytes(batch.ordinals[row] as number);
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
