import { PIXEL_VALUES } from '../../data/columns.ts';
import { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import { CONFIG_FILE, jsonFile, type PackageFile, writePackage } from '../../export/package-folder.ts';
import { modalitiesOf } from '../../recipe/misplaced-kinds.ts';
import { inputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import type { Head } from '../../targets/head.ts';
import { ownImages } from '../../teachers/image-preprocessing.ts';
import { fileOf, type ModelFiles, modelFiles } from '../../teachers/model-folder.ts';
import { noTokenizer } from '../../teachers/no-tokenizer.ts';
import { readTokenizer } from '../../teachers/onnx-file.ts';
import { readTeacherFile } from '../../teachers/read-teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { StudentPackage } from '../context/task.ts';
import { forImages, imagesOf } from '../teaching/image-reading.ts';
import { runTokenizer } from '../teaching/open-teacher.ts';
import type { RecipeRun, SampleReading } from './sample-kind.ts';

/** Samples of any modalities, of which nothing is known but their columns. */
export async function openColumns(run: RecipeRun): Promise<SampleReading> {
  const { recipe } = run;
  const teacher = openColumnTeacher(run);
  const readsText = inputsOf(recipe).some(({ modality }) => modality === 'text');
  const tokenizer = !readsText
    ? undefined
    : teacher
      ? (await readTokenizer(fileOf(teacher.files, 'tokenizer.json') ?? noTokenizer(teacher.files))).tokenizer
      : await runTokenizer(run);
  return {
    preprocessing: teacher ? 'the columns as the data set has them' : 'as the data set has it',
    tokenizer,
    warnings: tokenizer?.warnings ?? [],
    bind: (dataset) => ({
      teacher: teacher && forColumns(teacher, dataset),
      write: (folder, content) => writeColumnStudent({ recipe, dataset }, folder, content),
    }),
  };
}

interface ColumnTeacher extends TeacherSource {
  readonly file: string;
  readonly files: ModelFiles;
}

/** A teacher that reads the columns under their own names, whatever they hold. */
function openColumnTeacher({ recipe, options }: RecipeRun): ColumnTeacher | undefined {
  const choice = recipe.teacher as { readonly kind: string; readonly model: string } | undefined;
  if (!choice) return undefined;
  if (choice.kind !== 'onnx-columns') {
    throw new LimbeckError('recipe.invalid', `no teacher '${choice.kind}' of ${modalitiesOf(recipe)}`, {
      where: 'teacher.kind',
      remedy: 'Name onnx-columns; onnx-pair for texts and images.',
    });
  }
  const files = modelFiles(recipePathResolver(options, 'teacher')(choice.model));
  const { model: file, notes } = files;
  const { graph: model, advice } = readTeacherFile(file, teacherMemory(recipe));
  return { title: file, file, files, model, advice, notes };
}

/** The teacher over the columns of a data set; images as its own preprocessor_config.json wants their pixels. */
function forColumns(teacher: ColumnTeacher, dataset: PreparedDataset): TeacherSource {
  requireColumns(teacher, dataset);
  const pixels = teacher.model.inputs.find(({ name }) => name === PIXEL_VALUES);
  const hasImages = dataset.inputs.some(({ processor }) => processor instanceof ImageProcessor);
  if (!pixels || !hasImages) return teacher;
  const dims = (pixels.shape ?? []).slice(1).map((size) => (typeof size === 'number' ? size : undefined));
  const { notes, ...form } = ownImages(teacher.files, dims);
  return forImages(
    { ...teacher, ...form, dims, notes: [...(teacher.notes ?? []), ...notes] },
    imagesOf(dataset),
  );
}

function requireColumns(teacher: ColumnTeacher, { inputs }: PreparedDataset): void {
  const columns = inputs.flatMap(({ processor }) => processor.columns);
  const strange = teacher.model.inputs.find(
    ({ name, type }) => !columns.some((column) => column.name === name && column.type === type),
  );
  if (!strange) return;
  throw new LimbeckError(
    'teacher.inputs',
    `the teacher reads '${strange.name}' (${strange.type}), which no input gives`,
    {
      where: `${teacher.file}; columns: ${columns.map(({ name, type }) => `${name} (${type})`).join(', ')}`,
      remedy: 'Export it with inputs of these names and types.',
    },
  );
}

/** Writes a student that no reader knows: its models, a `config.json` and the files of its processors. */
export function writeColumnStudent(
  { recipe, dataset }: { readonly recipe: Recipe; readonly dataset: PreparedDataset },
  folder: string,
  models: StudentPackage,
): void {
  const [main] = models.heads as [Head, ...Head[]];
  writePackage(
    folder,
    models,
    [
      ...inputFiles(dataset),
      jsonFile(CONFIG_FILE, {
        model_type: 'limbeck',
        ...main.target.config(main.space, main.options, main.tuned),
        limbeck: { architecture: recipe.student.kind, task: recipe.task },
      }),
      ...(models.addition?.files ?? []),
    ],
    models.addition?.models,
  );
}

/** What a student needs to prepare its inputs. */
export function inputFiles({ inputs }: PreparedDataset): PackageFile[] {
  const files = Object.assign({}, ...inputs.map(({ processor }) => processor.files())) as Record<
    string,
    Uint8Array
  >;
  return Object.entries(files).map(([name, bytes]) => ({ name, bytes }));
}
