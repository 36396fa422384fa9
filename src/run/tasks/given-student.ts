import type { CutSize } from '../../compress/prune/cut-to-size.ts';
import { LimbeckError } from '../../errors.ts';
import { towerOf } from '../../export/clip-graphs.ts';
import { readSettingsJson } from '../../settings-file.ts';
import type { GivenModel, GivenTowers } from '../../students/backbone.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';
import { openImageAnswers } from '../../teachers/image-file.ts';
import { fileOf, modelFiles } from '../../teachers/model-folder.ts';
import { openOnnxFile } from '../../teachers/onnx-file.ts';
import type { TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import { isLanguageModel } from './language-models.ts';
import type { RecipeRun } from './sample-kind.ts';

/**
 * The model of texts that a student is made of: the file that it names (`onnx`), or its teacher (`cut`).
 *
 * @param source the teacher, where it runs here and reads by the student's tokenizer
 * @throws LimbeckError `recipe.invalid` for a cut without such a teacher and for a file whose tokenizer is not
 *   the student's, and what opening it throws
 */
export async function givenTextModel(
  { recipe, options }: RecipeRun,
  source: TextTeacherSource | undefined,
  tokenizerHash: string,
): Promise<GivenModel | undefined> {
  const { student } = recipe;
  if (student.kind === 'onnx') {
    const model = recipePathResolver(options, 'student')(student.model);
    const opened = await openOnnxFile({ model, train: 'none', answers: 'any', prompt: '' });
    if (opened.tokenizer.hash !== tokenizerHash) {
      throw new LimbeckError(
        'recipe.invalid',
        "the student's model has another tokenizer than the one that texts are read by",
        {
          where: `student.model: ${student.model}`,
          remedy: 'Set inputs.NAME.tokenizer to the tokenizer.json of the student.',
        },
      );
    }
    return { graph: opened.model, constants: opened.constants };
  }
  if (student.kind !== 'cut') return undefined;
  const given = cutFrom(source);
  return isLanguageModel(recipe)
    ? asDecoder(student, given, source as TextTeacherSource)
    : inSize(student, given);
}

function cutFrom(source: TextTeacherSource | undefined): GivenModel {
  if (source) return { graph: source.model, constants: source.constants };
  throw new LimbeckError(
    'recipe.invalid',
    'a student is cut out of a teacher that is a model of texts, and reads by its tokenizer',
    {
      where: 'student.kind: cut',
      remedy:
        'Name a teacher (onnx, hub), and leave inputs.NAME.tokenizer out; or begin with a file: student: { kind: onnx, model: FILE }.',
    },
  );
}

/** A language model as what it is built again of, in the size that is asked for. */
async function asDecoder(size: CutSize, given: GivenModel, { file }: TextTeacherSource): Promise<GivenModel> {
  // Loaded where they are used: pages do not pay for them.
  const [{ readDecoder }, { cutDecoder }] = await Promise.all([
    import('../../students/read-decoder.ts'),
    import('../../compress/prune/cut-decoder.ts'),
  ]);
  const config = file === undefined ? undefined : fileOf(modelFiles(file), 'config.json');
  const decoder = readDecoder(
    given.graph,
    config === undefined ? {} : readJson(config),
    config ?? file ?? '',
  );
  return { ...given, decoder: cutDecoder(decoder, size) };
}

/** Undefined for a file that is no JSON: then nothing says what the model is. */
function readJson(file: string): unknown {
  try {
    return readSettingsJson(file);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The model with the heads and the width that are asked for. */
async function inSize(size: CutSize, given: GivenModel): Promise<GivenModel> {
  if (size.heads === undefined && size.width === undefined) {
    // Layers that the teacher does not have are told before the data are read.
    if (size.layers !== undefined) (await import('../../students/cut.ts')).cutGraph(given.graph, size.layers);
    return given;
  }
  const { cutToSize } = await import('../../compress/prune/cut-to-size.ts');
  return cutToSize(given, size);
}

/**
 * The model of images that a student is made of: the file that it names (`onnx`), or its teacher (`cut`).
 *
 * @param teacher as the images of the data are fed to it; undefined where it has another size than the student
 */
export async function givenImageModel(
  { recipe: { student }, options }: RecipeRun,
  teacher: TeacherSource | undefined,
  fitted: (model: ReturnType<typeof openImageAnswers>) => TeacherSource,
): Promise<GivenModel | undefined> {
  if (student.kind === 'cut') {
    if (teacher) return inSize(student, { graph: teacher.model });
    throw new LimbeckError(
      'recipe.invalid',
      'a student is cut out of a teacher that reads images of its size',
      {
        where: 'student.kind: cut',
        remedy: 'Name a teacher (onnx-image, hub), and give the input its size (inputs.NAME.size).',
      },
    );
  }
  if (student.kind !== 'onnx') return undefined;
  const model = recipePathResolver(options, 'student')(student.model);
  return { graph: fitted(openImageAnswers({ model })).model };
}

/**
 * The towers of a student that is cut out of a teacher of texts and images.
 *
 * @param teacher as the images of the data are fed to it; undefined without one, or where it has another size than the student
 * @throws LimbeckError `recipe.invalid` without such a teacher, and for sizes that its towers cannot be cut to
 */
export async function givenPairTowers(
  { recipe: { student } }: Pick<RecipeRun, 'recipe'>,
  teacher: TeacherSource | undefined,
): Promise<GivenTowers | undefined> {
  if (student.kind !== 'cut') return undefined;
  if (!teacher) {
    throw new LimbeckError(
      'recipe.invalid',
      "two towers are cut out of a teacher of texts and images that reads images of the student's size",
      {
        where: 'student.kind: cut',
        remedy: 'Name a teacher (onnx-pair, hub), and give the input its size (inputs.NAME.size).',
      },
    );
  }
  // Loaded where it is used: pages do not pay for it.
  const { cutTowers } = await import('../../compress/prune/cut-towers.ts');
  const towers = { text: towerOf(teacher.model, TEXT_EMBEDS), image: towerOf(teacher.model, IMAGE_EMBEDS) };
  return cutTowers(towers, { text: student.text ?? {}, image: student.image ?? {} });
}
