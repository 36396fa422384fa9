import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { labelColumn } from '../../data/prepared/dataset-parts.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import { SOURCES } from '../../data/sources/index.ts';
import { LimbeckError } from '../../errors.ts';
import { answerConfig } from '../../export/answer-config.ts';
import { writeImageClassifier } from '../../export/image-classifier.ts';
import { hasWriterFile } from '../../export/is-writer.ts';
import { writeObjectDetector } from '../../export/object-detector.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Backbone } from '../../students/backbone.ts';
import { pixelsLinear } from '../../students/pixels-linear.ts';
import type { BoxSpace } from '../../targets/box-grid.ts';
import { boxes } from '../../targets/boxes.ts';
import type { Head } from '../../targets/head.ts';
import type { SentenceSpace } from '../../targets/sentence-truth.ts';
import { wordsColumn } from '../../targets/sentence-words.ts';
import { openImageAnswers, openImageFile } from '../../teachers/image-file.ts';
import type { ImageTeacherChoice } from '../../teachers/index.ts';
import type { ImageTeacherSource } from '../../teachers/teacher-source.ts';
import type { StudentPackage } from '../context/task.ts';
import { isClassifier, wantedOutputs } from '../heads/recipe-heads.ts';
import { forImages, imagesOf, showImages } from '../teaching/image-reading.ts';
import { localTeacher } from '../teaching/local-teacher.ts';
import { withOrigin } from '../teaching/open-teacher.ts';
import { imageClassResolver, matchImageDataset } from '../teaching/run-classes.ts';
import { givenImageModel } from './given-student.ts';
import type { PeerModel, RecipeRun, SampleKind } from './sample-kind.ts';

/** Images of one size. */
export const images: SampleKind = {
  unit: 'images',
  reads: 'image',
  async open(run) {
    const { recipe } = run;
    const opened = await openImageTeacher(run);
    const classifier = isClassifier(recipe) ? opened : undefined;
    refuseLabelOptions(recipe);
    return {
      teacher: opened,
      teacherImages: opened?.preprocessing ? [opened.preprocessing] : [],
      // The keys of the store are made of the bytes of the images.
      preprocessing: 'pixels normalised by the mean and deviation of the training pictures',
      ...(classifier && { classesOf: (title: string) => imageClassResolver(classifier, title) }),
      async bind(dataset) {
        const own = imagesOf(dataset);
        const writing = await writingParts(recipe, dataset);
        const { dims, normalization } = own;
        const shown = opened && showImages(opened, own, recipe);
        const looking = shown?.teacher;
        const teacher = looking && (writing?.teacher(looking) ?? looking);
        const given = await givenImageModel(run, shown?.reads ? undefined : teacher, (model) =>
          forImages(model, own),
        );
        return {
          teacher,
          ...(shown?.reads && { teacherReads: shown.reads }),
          classes: classifier && matchImageDataset(classifier, dataset),
          pixelRange: normalization,
          peer: PEER,
          ...(given && { given }),
          readerInput: (split, ordinal) => ({
            pixels: own.studentPart((split as RecordSplit).bytes(ordinal) ?? new Uint8Array()),
            dims,
          }),
          write(folder, whole) {
            const models = writing?.split(whole) ?? whole;
            const architecture = recipe.student.kind;
            const preprocessor = own.files()['preprocessor_config.json'] as Uint8Array;
            const [main, ...others] = models.heads as [Head, ...Head[]];
            const answers = answerConfig(models.heads);
            if (main.target.kind === boxes.kind) {
              const { names, ...grid } = main.space as BoxSpace;
              const maps = { output: main.output, classes: names.length, ...grid };
              const config = {
                ...main.target.config(main.space, main.options, main.tuned),
                ...(others.length > 0 && { outputs: answers.outputs }),
              };
              writeObjectDetector(folder, {
                ...models,
                architecture,
                labels: names,
                maps,
                config,
                dims,
                preprocessor,
              });
              return;
            }
            writeImageClassifier(folder, {
              ...models,
              architecture,
              ...answers,
              dims,
              normalization,
              preprocessor,
            });
          },
        };
      },
    };
  },
};

const PEER: PeerModel = {
  title: 'a linear model of pixels',
  backbone: pixelsLinear as unknown as Backbone,
  options: {},
  fits: ({ features }) => features === 'pooled',
};

/** What is done with models that write a sentence; undefined where the recipe wants none. */
async function writingParts(recipe: Recipe, { spaces }: PreparedDataset) {
  const outputs = wantedOutputs(recipe);
  const index = outputs.findIndex(({ target }) => target.writes);
  if (index < 0) return undefined;
  const { name } = outputs[index] as { name: string };
  // Loaded where they are used: pages do not pay for them.
  const [{ splitPackage }, { writingTeacher }] = await Promise.all([
    import('../../export/writer-files.ts'),
    import('../teaching/writing-teacher.ts'),
  ]);
  const wanted = {
    ...(spaces[name] as SentenceSpace),
    output: name,
    input: wordsColumn(labelColumn(outputs, index)),
  };
  return {
    split: splitPackage<StudentPackage>,
    teacher: (source: ImageTeacherSource) =>
      source.file !== undefined && hasWriterFile(source.file) ? writingTeacher(source, wanted) : source,
  };
}

async function openImageTeacher(run: RecipeRun): Promise<ImageTeacherSource | undefined> {
  const local = await localTeacher(run);
  if (local?.choice.kind !== 'onnx-image') return undefined;
  const open = isClassifier(run.recipe) ? openImageFile : openImageAnswers;
  return withOrigin(open(local.choice as unknown as ImageTeacherChoice), local);
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
