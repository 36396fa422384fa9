import { INPUT_VALUES } from '../data/columns.ts';
import { LimbeckError } from '../errors.ts';
import { basename } from '../platform/paths.ts';
import type { WrittenSize } from '../size-in-bytes.ts';
import { answeringForm } from './answering-form.ts';
import { classifierLogits, withLogits } from './class-logits.ts';
import { fileOf, type ModelFiles, modelFiles } from './model-folder.ts';
import { readPreprocessorConfig } from './preprocessor-config.ts';
import { readTeacherFile } from './read-teacher.ts';
import { teacherClasses } from './teacher-classes.ts';
import { type AudioTeacherSource, LOGITS } from './teacher-source.ts';
import { describeValue } from './text-inputs.ts';

export interface AudioFileOptions {
  /** The ONNX file, or the folder that holds it, as Hugging Face has it. */
  model: string;
  /** Which of its outputs the scores of the classes are, where names do not tell. */
  output?: string | undefined;
  /** The classes of its outputs, where its config.json does not name them as the data does. */
  labels?: readonly string[] | undefined;
  /** A bound of memory: then its weights stay in their file. */
  memory?: WrittenSize | undefined;
}

/**
 * A person's own ONNX classifier of audio. Its input is `input_values`, float32 [batch, samples]; its output float32
 * [batch, classes]. A `preprocessor_config.json` beside it says at which rate it hears.
 *
 * @throws LimbeckError `teacher.inputs`, `teacher.outputs` (saying what the model has), `teacher.model`, `teacher.config`, and
 *   what reading throws
 */
export function openAudioFile({ model, output, labels, memory }: AudioFileOptions): AudioTeacherSource {
  const files = modelFiles(model);
  const path = files.model;
  const { graph, advice } = readTeacherFile(path, memory);
  const answering = answeringForm(graph);
  const { inputs } = answering.graph;
  const [waveform] = inputs;
  if (inputs.length !== 1 || waveform?.name !== INPUT_VALUES || waveform.shape?.length !== 2) {
    throw new LimbeckError('teacher.inputs', `the teacher does not read ${INPUT_VALUES} alone`, {
      where: `${path}: its inputs are ${inputs.map(describeValue).join('; ')}`,
      remedy: `Take a classifier of waveforms: ${INPUT_VALUES}, float32 [batch, samples].`,
    });
  }
  const named = classifierLogits(answering.graph, path, { named: output, anyName: true });
  const scores = withLogits(named.graph);
  const classes = teacherClasses(fileOf(files, 'config.json'), labels);
  const [, length] = waveform.shape;
  const heard = rateOf(files);
  return {
    title: basename(path),
    file: path,
    model: scores.graph,
    advice,
    logitsOutput: LOGITS,
    ...(classes && { classes }),
    ...(typeof length === 'number' && { samples: length }),
    ...heard,
    notes: [
      ...files.notes,
      ...answering.notes,
      ...named.notes,
      ...scores.notes,
      ...(heard.rate === undefined
        ? ['nothing beside the teacher says at which rate it hears: it is taken to be that of the data']
        : []),
    ],
  };
}

/** What the files of a model say of its audio; nothing where there are none. */
function rateOf(files: ModelFiles): Pick<AudioTeacherSource, 'rate' | 'isNormalized'> {
  const { sampling_rate: rate, do_normalize: normalized } =
    readPreprocessorConfig(files, 'feature_extractor')?.json ?? {};
  return {
    ...(typeof rate === 'number' && { rate }),
    ...(typeof normalized === 'boolean' && { isNormalized: normalized }),
  };
}
