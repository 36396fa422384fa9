import { PIXEL_VALUES } from '../../data/columns.ts';
import { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import { SOURCES } from '../../data/sources/index.ts';
import { LimbeckError } from '../../errors.ts';
import { writeImageClassifier } from '../../export/image-classifier.ts';
import { randomStream } from '../../random.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { buildStudent } from '../../students/build-student.ts';
import { backboneFor } from '../../students/index.ts';
import { pixelsLinear } from '../../students/pixels-linear.ts';
import { openImageFile } from '../../teachers/image-file.ts';
import { forDataPixels } from '../../teachers/image-model.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import { orderOutputs } from '../../teachers/order-outputs.ts';
import type { ImageTeacherSource } from '../../teachers/teacher-source.ts';
import { speedCalls } from '../batches/speed-calls.ts';
import { inViews, trainingDataOf } from '../batches/training-data.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { Task, TaskData } from '../context/task.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { headsOf } from '../heads/recipe-heads.ts';
import { requireImages } from '../teaching/require-classes.ts';
import { imageClassResolver, matchImageDataset } from '../teaching/run-classes.ts';

/** Pictures with one class each. */
export async function imageClassification(run: {
  readonly recipe: Recipe;
  readonly options: RunOptions;
}): Promise<Task> {
  const { recipe, options } = run;
  const { teacher: choice } = recipe;
  const resolve = recipePathResolver(options, 'teacher');
  let teacher =
    choice?.kind === 'onnx-image' ? openImageFile({ ...choice, model: resolve(choice.model) }) : undefined;
  const task: Task = {
    unit: 'images',
    get teacher() {
      return teacher;
    },
    // The keys of the store are made of the bytes of the pictures.
    preprocessing: 'pixels normalised by the mean and deviation of the training pictures',
    async prepareData({ onProgress, kept }) {
      refuseLabelOptions(recipe);
      const dataset = await prepareRecipeData(run, {
        onProgress,
        kept,
        ...(teacher && { classesOf: (title) => imageClassResolver(teacher as ImageTeacherSource, title) }),
      });
      const classes = teacher && matchImageDataset(teacher, dataset);
      if (teacher)
        teacher = { ...teacher, model: forDataPixels(teacher.model, teacher.pixels, imagesOf(dataset)) };
      return imageData({ task, recipe, dataset, teacher, classes });
    },
  };
  return task;
}

/** A source of images in IDX files has its classes and their order; what is said otherwise would not be heard. */
function refuseLabelOptions({ data }: Recipe): void {
  if (!SOURCES.some(({ kind, gives }) => kind === data.source.kind && gives === 'image')) return;
  if (!data.labels && !data.renameLabels) return;
  throw new LimbeckError('data.options', 'the classes of images come from their source', {
    where: `${data.labels ? 'data.labels' : 'data.renameLabels'}, for ${data.source.kind}`,
    remedy: 'Leave it out; the source kind idx takes the names of its classes (data.source.classes).',
  });
}

/** How the images of a data set are read. */
function imagesOf({ inputs }: Pick<PreparedDataset, 'inputs'>): ImageProcessor {
  const found = inputs.find(({ processor }) => processor instanceof ImageProcessor)?.processor;
  if (!found) throw new Error('the data set has no images');
  return found as ImageProcessor;
}

function imageData(context: {
  readonly task: Task;
  readonly recipe: Recipe;
  readonly dataset: PreparedDataset;
  readonly teacher: ImageTeacherSource | undefined;
  readonly classes: ClassMatch | undefined;
}): TaskData {
  const { task, recipe, dataset, teacher, classes } = context;
  const { labels, splits } = dataset;
  const { dims, normalization } = imagesOf(dataset);
  const heads = headsOf(recipe, dataset);
  const { batchSize } = recipe.training;
  return {
    task,
    dataset,
    heads,
    ...(classes && { classes }),
    pixelRange: normalization,
    asked: inViews(recipe, splits.train).split,
    buildStudent() {
      const backbone = backboneFor(recipe.student.kind, 'image');
      const [channels, height, width] = dims;
      const random = randomStream(recipe.seed, 'student');
      return buildStudent({
        backbone,
        options: recipe.student,
        inputs: { channels, height, width },
        heads,
        random,
      });
    },
    peer: {
      title: 'a linear model of pixels',
      fits: heads.every(({ features }) => features === 'pooled'),
      build() {
        const [channels, height, width] = dims;
        const random = randomStream(recipe.seed, 'peer');
        return buildStudent({
          backbone: pixelsLinear,
          options: {},
          inputs: { channels, height, width },
          heads,
          random,
        });
      },
      training: (name, knowledge) => trainingDataOf({ recipe, split: splits[name], batchSize, knowledge }),
    },
    training: (name, knowledge, added, orderOf) =>
      trainingDataOf({ recipe, split: splits[name], batchSize, knowledge, added, orderOf }),
    teacherTitle: teacher?.title ?? '',
    async teach() {
      requireImages(teacher!, dims);
      return { model: orderOutputs(teacher!.model, classes!.outputs), validation: null };
    },
    heldBytes: splits.train.heldBytes,
    speedCalls: (split, rows) => speedCalls(split, rows, [PIXEL_VALUES]),
    readerInput: (split, ordinal) => ({
      pixels: (split as RecordSplit).bytes(ordinal) ?? new Uint8Array(),
      dims,
    }),
    writeStudent: (folder, models) =>
      writeImageClassifier(folder, {
        ...models,
        architecture: recipe.student.kind,
        labels,
        dims,
        normalization,
        preprocessor: dataset.inputs[0]?.processor.files()['preprocessor_config.json'],
      }),
  };
}
