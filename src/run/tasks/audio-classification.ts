import { INPUT_VALUES } from '../../data/columns.ts';
import { AudioProcessor } from '../../data/modalities/audio/audio-processor.ts';
import { fromPcm16 } from '../../data/modalities/audio/window.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import { writeAudioClassifier } from '../../export/audio-classifier.ts';
import { randomStream } from '../../random.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { audioLinear } from '../../students/audio-linear.ts';
import { buildStudent } from '../../students/build-student.ts';
import { backboneFor } from '../../students/index.ts';
import { classesOf } from '../../targets/head.ts';
import { headOutputs } from '../../teachers/head-outputs.ts';
import { AUDIO_TEACHERS, type AudioTeacherChoice } from '../../teachers/index.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import { orderOutputs } from '../../teachers/order-outputs.ts';
import type { AudioTeacherSource } from '../../teachers/teacher-source.ts';
import { speedCalls } from '../batches/speed-calls.ts';
import { inViews, trainingDataOf } from '../batches/training-data.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { Task, TaskData } from '../context/task.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { headsOf, isClassifier } from '../heads/recipe-heads.ts';
import { classResolver, matchDataset } from '../teaching/run-classes.ts';

type Run = { readonly recipe: Recipe; readonly options: RunOptions };

/** Waveforms with a class each, or a class for each of their frames. */
export async function audioClassification(run: Run): Promise<Task> {
  const { recipe } = run;
  const opened = openAudioTeacher(run);
  const isClass = isClassifier(recipe);
  let teacher = opened;
  const task: Task = {
    unit: 'clips',
    get teacher() {
      return teacher;
    },
    preprocessing: 'waveforms',
    columns: [INPUT_VALUES],
    async prepareData({ onProgress, kept }) {
      const dataset = await prepareRecipeData(run, {
        onProgress,
        kept,
        ...(opened && isClass && { classesOf: (title: string) => classResolver(opened, title) }),
      });
      const audio = audioOf(dataset);
      if (opened) {
        requireAudio(opened, audio);
        const model = opened.modelFor?.(audio.samples);
        teacher = model ? { ...opened, model } : opened;
      }
      const classes = teacher && isClass ? matchDataset(teacher, dataset) : undefined;
      return audioData({ task, recipe, dataset, teacher, classes });
    },
  };
  return task;
}

function openAudioTeacher({ recipe, options }: Run): AudioTeacherSource | undefined {
  const choice = recipe.teacher as AudioTeacherChoice | undefined;
  if (!choice) return undefined;
  const found = AUDIO_TEACHERS.find(({ kind }) => kind === choice.kind);
  if (!found) throw new Error(`no teacher of audio ${choice.kind}`);
  const resolve = recipePathResolver(options, 'teacher');
  const resolved = 'model' in choice ? { ...choice, model: resolve(choice.model) } : choice;
  return (found.open as (options: AudioTeacherChoice) => AudioTeacherSource)(resolved);
}

/** How the waveforms of a data set are read. */
function audioOf({ inputs }: Pick<PreparedDataset, 'inputs'>): AudioProcessor {
  const found = inputs.find(({ processor }) => processor instanceof AudioProcessor)?.processor;
  if (!found) throw new Error('the data set has no audio');
  return found as AudioProcessor;
}

/** A teacher that hears otherwise cannot be asked. */
function requireAudio(teacher: AudioTeacherSource, { rate, samples, normalize }: AudioProcessor): void {
  const wrong =
    teacher.rate !== undefined && teacher.rate !== rate
      ? `hears ${teacher.rate} samples a second, the data has ${rate}`
      : teacher.samples !== undefined && teacher.samples !== samples
        ? `hears ${teacher.samples} samples, the windows of the data have ${samples}`
        : teacher.wholeFrames !== undefined && samples % teacher.wholeFrames !== 0
          ? `hears whole frames of ${teacher.wholeFrames} samples, the windows of the data have ${samples}`
          : teacher.isNormalized !== undefined && teacher.isNormalized !== normalize
            ? `hears waveforms ${teacher.isNormalized ? 'with mean 0 and deviation 1' : 'as they are'}`
            : undefined;
  if (wrong === undefined) return;
  throw new LimbeckError('teacher.inputs', `the teacher ${wrong}`, {
    where: teacher.title,
    remedy: 'Set rate, seconds and normalize of the input (inputs.NAME) as the teacher wants them.',
  });
}

function audioData(context: {
  readonly task: Task;
  readonly recipe: Recipe;
  readonly dataset: PreparedDataset;
  readonly teacher: AudioTeacherSource | undefined;
  readonly classes: ClassMatch | undefined;
}): TaskData {
  const { task, recipe, dataset, teacher, classes } = context;
  const { splits } = dataset;
  const audio = audioOf(dataset);
  const heads = headsOf(recipe, dataset);
  const [main] = heads;
  const inputs = audio.forBackbones;
  const { batchSize } = recipe.training;
  return {
    task,
    dataset,
    heads,
    ...(classes && { classes }),
    asked: inViews(recipe, splits.train).split,
    buildStudent: () =>
      buildStudent({
        backbone: backboneFor(recipe.student.kind, 'audio'),
        options: recipe.student,
        inputs,
        heads,
        random: randomStream(recipe.seed, 'student'),
      }),
    peer: {
      title: 'a linear model of the mean spectrum',
      fits: heads.every(({ features }) => features === 'pooled'),
      build: () =>
        buildStudent({
          backbone: audioLinear,
          options: {},
          inputs,
          heads,
          random: randomStream(recipe.seed, 'peer'),
        }),
      training: (name, knowledge) => trainingDataOf({ recipe, split: splits[name], batchSize, knowledge }),
    },
    training: (name, knowledge, added, orderOf) =>
      trainingDataOf({ recipe, split: splits[name], batchSize, knowledge, added, orderOf }),
    teacherTitle: teacher?.title ?? '',
    async teach() {
      const { model } = teacher as AudioTeacherSource;
      const answering = classes
        ? orderOutputs(model, classes.outputs)
        : headOutputs(model, heads, teacher as AudioTeacherSource);
      return { model: answering, validation: null };
    },
    heldBytes: splits.train.heldBytes,
    speedCalls: (split: Split, rows) => speedCalls(split, rows, [INPUT_VALUES]),
    readerInput: (split, ordinal) => {
      const bytes = (split as RecordSplit).bytes(ordinal);
      return bytes && { waveform: fromPcm16(bytes) };
    },
    writeStudent: (folder, models) =>
      writeAudioClassifier(folder, {
        ...models,
        architecture: recipe.student.kind,
        labels: main ? classesOf(main) : [],
        samples: audio.samples,
        isByFrame: main?.features === 'tokens',
        files: audio.files(),
      }),
  };
}
