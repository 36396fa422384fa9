import type { CutSize } from '../../compress/prune/cut-to-size.ts';
import { LimbeckError } from '../../errors.ts';
import { readRegularText } from '../../regular-file.ts';
import type { GivenModel } from '../../students/backbone.ts';
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
    const opened = await openOnnxFile({ model, train: 'none', answers: 'any' });
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
    return JSON.parse(readRegularText(file).replace(/^\uFEFF/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The model with the heads and the width that are asked for. */
async function inSize(size: CutSize, given: GivenModel): Promise<GivenModel> {
  if (size.heads === undefined && size.width === undefined) return given;
  const { cutToSize } = await import('../../compress/prune/cut-to-size.ts');
  return cutToSize(given, size);
}

/**
 * The model of images that a student is made of: the file that it names (`onnx`), or its teacher (`cut`).
 *
 * @param teacher as the images of the data are fed to it; undefined where it has another size than the student
 */
export function givenImageModel(
  { recipe: { student }, options }: RecipeRun,
  teacher: TeacherSource | undefined,
  fitted: (model: ReturnType<typeof openImageAnswers>) => TeacherSource,
): GivenModel | undefined {
  if (student.kind === 'cut') {
    if (student.heads !== undefined || student.width !== undefined) {
      throw new LimbeckError('recipe.invalid', 'a model of images is cut by its layers alone', {
        where: student.heads === undefined ? 'student.width' : 'student.heads',
        remedy: 'Leave the key out, and narrow the student by compress: [{ kind: prune }].',
      });
    }
    if (teacher) return { graph: teacher.model };
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
