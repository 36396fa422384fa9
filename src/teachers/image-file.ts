import { basename } from '../platform/paths.ts';
import type { WrittenSize } from '../size-in-bytes.ts';
import { answeringForm } from './answering-form.ts';
import { classifierLogits, requireClassScores, withLogits } from './class-logits.ts';
import { imageInput, imageLayout, withPixelValues } from './image-model.ts';
import { ownImages } from './image-preprocessing.ts';
import { fileOf, modelFiles } from './model-folder.ts';
import { readTeacherFile } from './read-teacher.ts';
import { teacherClasses } from './teacher-classes.ts';
import { type ImageTeacherSource, LOGITS, PIXEL_VALUES } from './teacher-source.ts';

export interface ImageFileOptions {
  /** The ONNX file, or the folder that holds it, as Hugging Face has it. */
  model: string;
  /** Which of its inputs the image is; the only one that can be by default. */
  input?: string;
  /** Which of its outputs the scores of the classes are, where names do not tell. */
  output?: string | undefined;
  /** The classes of its outputs, where its config.json does not name them as the data does. */
  labels?: readonly string[] | undefined;
  /** A bound of memory: then its weights stay in their file. */
  memory?: WrittenSize | undefined;
}

/**
 * A person's own ONNX classifier of images. Its input is float32 [batch, channels, height, width] or [batch, height,
 * width, channels], whatever its name; its output float32 [batch, classes]. A `preprocessor_config.json` beside it says
 * how it wants its pixels.
 *
 * @throws LimbeckError `teacher.inputs`, `teacher.outputs` (saying what the model has), `teacher.model`,
 *   `teacher.config`, and what reading throws.
 */
export function openImageFile(options: ImageFileOptions): ImageTeacherSource {
  const opened = openImageModel(options);
  const { file } = opened;
  const named = classifierLogits(opened.model, file, { named: options.output, anyName: true });
  const scores = withLogits(named.graph);
  requireClassScores(scores.graph, file);
  return {
    ...opened,
    model: scores.graph,
    logitsOutput: LOGITS,
    notes: [...opened.notes, ...named.notes, ...scores.notes, ...opened.pixelNotes],
  };
}

/**
 * A person's own ONNX model of images that answers something else than one class: boxes, several classes, vectors. Which of
 * its outputs teach is told by the heads of the student (see `headOutputs`).
 *
 * @throws LimbeckError `teacher.inputs`, `teacher.model`, `teacher.config`, and what reading throws
 */
export function openImageAnswers(options: ImageFileOptions): ImageTeacherSource {
  const opened = openImageModel(options);
  return { ...opened, notes: [...opened.notes, ...opened.pixelNotes] };
}

/** A model with its image as `pixel_values`, and what the files beside it say. */
function openImageModel(options: ImageFileOptions) {
  const files = modelFiles(options.model);
  const path = files.model;
  const { graph, advice } = readTeacherFile(path, options.memory);
  const answering = answeringForm(graph);
  const input = imageInput(answering.graph, path, options.input);
  const layout = imageLayout(input);
  const model = withPixelValues(answering.graph, input, layout);
  const [, ...dims] = model.inputs[0]?.shape ?? [];
  const classes = teacherClasses(fileOf(files, 'config.json'), options.labels);
  const sizes = dims.map((size) => (typeof size === 'number' ? size : undefined));
  const { notes: pixelNotes, ...images } = ownImages(files, sizes);
  return {
    title: basename(path),
    ...images,
    file: path,
    model,
    advice,
    ...(classes && { classes }),
    dims: sizes,
    notes: [
      ...files.notes,
      ...answering.notes,
      ...(input.name === PIXEL_VALUES ? [] : [`the teacher's input '${input.name}' takes the image`]),
      ...(layout === 'channels-last' ? ['the teacher takes images as [height, width, channels]'] : []),
    ],
    pixelNotes,
  };
}
