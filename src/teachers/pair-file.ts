import { LimbeckError } from '../errors.ts';
import type { Dim, Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { basename, dirname } from '../platform/paths.ts';
import type { WrittenSize } from '../size-in-bytes.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import { answeringForm } from './answering-form.ts';
import { encoderInside, withEncoder } from './encoder-inside.ts';
import { ownImages } from './image-preprocessing.ts';
import { fileOf, type ModelFiles, modelFiles } from './model-folder.ts';
import { noTokenizer } from './no-tokenizer.ts';
import { DEFAULT_MAX_LENGTH, readTokenizer } from './onnx-file.ts';
import { positionLimit } from './position-limit.ts';
import { readTeacherFile } from './read-teacher.ts';
import { PROMPTS_FILE, quoted, teacherPrompt } from './sentence-prompt.ts';
import {
  ATTENTION_MASK,
  type ImageTeacherSource,
  INPUT_IDS,
  PIXEL_VALUES,
  type TextTeacherSource,
} from './teacher-source.ts';
import { describeValue } from './text-inputs.ts';

/** A model of texts and images: outputs `text_embeds` and `image_embeds`, float32 [batch, width]. */
export type PairTeacherSource = TextTeacherSource &
  Pick<ImageTeacherSource, 'dims' | 'pixels' | 'preprocessing'> & {
    /** Numbers in a vector. */
    readonly width: number;
  };

const INPUTS: Readonly<Record<string, readonly Dim[]>> = {
  [INPUT_IDS]: ['batch', 'sequence'],
  [ATTENTION_MASK]: ['batch', 'sequence'],
};

/**
 * A model of texts and images in the layout that Hugging Face has for CLIP: `model.onnx` with the inputs `input_ids`,
 * `attention_mask` and `pixel_values` and the outputs `text_embeds` and `image_embeds`, its tokenizer and
 * `preprocessor_config.json` beside it; or `trained_model.onnx`, which reads the vectors of an encoder that comes from a package. As a teacher it reads as many texts as images: row i of both belongs together.
 *
 * @throws LimbeckError `teacher.inputs`, `teacher.outputs` (saying what the model has), `tokenizer.missing`, and what reading
 *   the files throws
 */
export async function openPairFile(path: string, memory?: WrittenSize): Promise<PairTeacherSource> {
  const files = modelFiles(path);
  const { graph: read, advice } = readTeacherFile(files.model, memory);
  const encoder = await encoderInside(read, files);
  const { tokenizer, maxLength, notes: told } = encoder ? { ...encoder, notes: [] } : await textsOf(files);
  const answering = answeringForm(encoder ? withEncoder(read, encoder) : read);
  const { model, width, dims } = rowByRow(answering.graph, files.model);
  const { notes, ...images } = ownImages(files, dims);
  return {
    // `model.onnx` says nothing: the folder has the name.
    title: basename(files.folders.at(-1) ?? dirname(files.model)),
    file: files.model,
    model,
    advice,
    tokenizer,
    maxLength,
    width,
    dims,
    ...images,
    // The models of each tower alone lie beside it: they are not another choice.
    notes: [
      ...files.notes.filter((note) => !note.includes('text_model')),
      ...told,
      ...answering.notes,
      ...notes,
    ],
  };
}

/** How a model that reads texts itself reads them. */
async function textsOf(
  files: ModelFiles,
): Promise<Pick<TextTeacherSource, 'tokenizer' | 'maxLength'> & { readonly notes: readonly string[] }> {
  const tokenizerFile = fileOf(files, 'tokenizer.json') ?? noTokenizer(files);
  const { tokenizer, declared, notes } = await readTokenizer(tokenizerFile);
  const prompt = teacherPrompt(files).text;
  const maxLength = declared ?? positionLimit(fileOf(files, 'config.json')) ?? DEFAULT_MAX_LENGTH;
  if (prompt === '') return { tokenizer, maxLength, notes };
  const unread = `the default prompt ${quoted(prompt)} of ${PROMPTS_FILE} is not read before texts that have images`;
  return { tokenizer, maxLength, notes: [...notes, unread] };
}

/** The model with both vectors as its outputs, over one batch. */
function rowByRow(
  graph: Graph,
  where: string,
): { model: Graph; width: number; dims: PairTeacherSource['dims'] } {
  const missing = [TEXT_EMBEDS, IMAGE_EMBEDS].filter(
    (name) => !graph.outputs.some((output) => output.name === name),
  );
  if (missing.length > 0) {
    throw new LimbeckError('teacher.outputs', `the model has no output ${missing.join(' and no ')}`, {
      where: `${where}: its outputs are ${graph.outputs.map(describeValue).join('; ')}`,
      remedy: 'Export it as CLIP: `optimum-cli export onnx`, with the task zero-shot-image-classification.',
    });
  }
  const part = removeDeadNodes(withOutputs(graph, [TEXT_EMBEDS, IMAGE_EMBEDS]));
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  let dims: PairTeacherSource['dims'] = [];
  for (const { name, type, shape } of part.inputs) {
    if (name === PIXEL_VALUES && type === 'float32' && shape?.length === 4) {
      const [, ...sizes] = shape;
      dims = sizes.map((size) => (typeof size === 'number' ? size : undefined));
      bound.set(name, g.input(name, type, ['batch', ...sizes]));
    } else if (INPUTS[name] && type === 'int64') bound.set(name, g.input(name, type, INPUTS[name]));
    else {
      throw new LimbeckError('teacher.inputs', `nothing can be given to the input '${name}'`, {
        where: `${where}: its inputs are ${part.inputs.map(describeValue).join('; ')}`,
        remedy: `Export it with ${INPUT_IDS}, ${ATTENTION_MASK} and ${PIXEL_VALUES} alone.`,
      });
    }
  }
  const values = g.inline(part, bound);
  const embeds = [TEXT_EMBEDS, IMAGE_EMBEDS].map((name) => values.get(name) as TypedValue);
  const width = embeds[0]?.shape[1];
  if (typeof width !== 'number' || embeds[1]?.shape[1] !== width) {
    throw new LimbeckError('teacher.outputs', 'the vectors of texts and images have different widths', {
      where: `${where}: ${graph.outputs.map(describeValue).join('; ')}`,
      remedy: 'Export it with its projections.',
    });
  }
  for (const value of embeds) g.output(value);
  return { model: g.build(graph.name), width, dims };
}

/** The same model with one more output: both vectors beside each other, float32 [batch, 2 * width]. */
export function withPairs(model: Graph, name: string): Graph {
  const g = new GraphBuilder(model.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name: input, type, shape } of model.inputs)
    bound.set(input, g.input(input, type as NonNullable<typeof type>, shape ?? []));
  const values = g.inline(model, bound);
  const embeds = [TEXT_EMBEDS, IMAGE_EMBEDS].map((output) => values.get(output) as TypedValue);
  g.output(g.concat(embeds, 1), name);
  for (const value of embeds) g.output(value);
  return g.build(model.name);
}
