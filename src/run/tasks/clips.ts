import { AudioProcessor } from '../../data/modalities/audio/audio-processor.ts';
import { fromPcm16 } from '../../data/modalities/audio/window.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { RecordSplit } from '../../data/prepared/record-split.ts';
import { LimbeckError } from '../../errors.ts';
import { answerConfig } from '../../export/answer-config.ts';
import { writeAudioClassifier } from '../../export/audio-classifier.ts';
import { audioLinear } from '../../students/audio-linear.ts';
import type { Backbone } from '../../students/backbone.ts';
import { AUDIO_TEACHERS, type AudioTeacherChoice } from '../../teachers/index.ts';
import type { AudioTeacherSource } from '../../teachers/teacher-source.ts';
import { isClassifier } from '../heads/recipe-heads.ts';
import { localTeacher } from '../teaching/local-teacher.ts';
import { withOrigin } from '../teaching/open-teacher.ts';
import { classResolver, matchDataset } from '../teaching/run-classes.ts';
import type { PeerModel, RecipeRun, SampleKind } from './sample-kind.ts';

/** Waveforms of one length. */
export const clips: SampleKind = {
  unit: 'clips',
  reads: 'audio',
  async open(run) {
    const { recipe } = run;
    const opened = await openAudioTeacher(run);
    const classifier = isClassifier(recipe) ? opened : undefined;
    return {
      teacher: opened,
      preprocessing: 'waveforms',
      ...(classifier && { classesOf: (title: string) => classResolver(classifier, title) }),
      bind(dataset) {
        const audio = audioOf(dataset);
        return {
          teacher: opened && forAudio(opened, audio),
          classes: classifier && matchDataset(classifier, dataset),
          peer: PEER,
          readerInput(split, ordinal) {
            const bytes = (split as RecordSplit).bytes(ordinal);
            return bytes && { waveform: fromPcm16(bytes) };
          },
          write(folder, models) {
            const [main] = models.heads;
            writeAudioClassifier(folder, {
              ...models,
              architecture: recipe.student.kind,
              ...answerConfig(models.heads),
              samples: audio.samples,
              isByFrame: main?.features === 'tokens',
              files: audio.files(),
            });
          },
        };
      },
    };
  },
};

const PEER: PeerModel = {
  title: 'a linear model of the mean spectrum',
  backbone: audioLinear as unknown as Backbone,
  options: {},
  fits: ({ features }) => features === 'pooled',
};

async function openAudioTeacher(run: RecipeRun): Promise<AudioTeacherSource | undefined> {
  const local = await localTeacher(run);
  if (!local) return undefined;
  const found = AUDIO_TEACHERS.find(({ kind }) => kind === local.choice.kind);
  if (!found) throw new Error(`no teacher of audio ${local.choice.kind}`);
  const open = found.open as (
    options: AudioTeacherChoice,
  ) => AudioTeacherSource | Promise<AudioTeacherSource>;
  return withOrigin(await open(local.choice as unknown as AudioTeacherChoice), local);
}

/** How the waveforms of a data set are read. */
function audioOf({ inputs }: Pick<PreparedDataset, 'inputs'>): AudioProcessor {
  const found = inputs.find(({ processor }) => processor instanceof AudioProcessor)?.processor;
  if (!found) throw new Error('the data set has no audio');
  return found as AudioProcessor;
}

/** The teacher for windows of the data's length. */
function forAudio(teacher: AudioTeacherSource, audio: AudioProcessor): AudioTeacherSource {
  requireAudio(teacher, audio);
  const model = teacher.modelFor?.(audio.samples);
  return model ? { ...teacher, model } : teacher;
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
