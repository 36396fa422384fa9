import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import { CONFIG_FILE, jsonFile, type PackageFile, writePackage } from '../../export/package-folder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { modalitiesOf } from '../../recipe/misplaced-kinds.ts';
import { inputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import type { Head } from '../../targets/head.ts';
import { modelFiles } from '../../teachers/model-folder.ts';
import { readTeacherFile } from '../../teachers/read-teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { StudentPackage } from '../context/task.ts';
import { runTokenizer } from '../teaching/open-teacher.ts';
import type { RecipeRun, SampleReading } from './sample-kind.ts';

/** Samples of any modalities, of which nothing is known but their columns. */
export async function openColumns(run: RecipeRun): Promise<SampleReading> {
  const { recipe } = run;
  const teacher = openColumnTeacher(run);
  const readsText = inputsOf(recipe).some(({ modality }) => modality === 'text');
  const tokenizer = readsText ? await runTokenizer(run) : undefined;
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

/** A teacher that reads the columns under their own names, whatever they hold. */
function openColumnTeacher({ recipe, options }: RecipeRun): (TeacherSource & { file: string }) | undefined {
  const choice = recipe.teacher as { readonly kind: string; readonly model: string } | undefined;
  if (!choice) return undefined;
  if (choice.kind !== 'onnx-columns') {
    throw new LimbeckError('recipe.invalid', `no teacher '${choice.kind}' of ${modalitiesOf(recipe)}`, {
      where: 'teacher.kind',
      remedy: 'Name onnx-columns; onnx-pair for texts and images.',
    });
  }
  const { model: file } = modelFiles(recipePathResolver(options, 'teacher')(choice.model));
  const { graph: model, advice } = readTeacherFile(file, teacherMemory(recipe));
  return { title: file, file, model, advice };
}

function forColumns<T extends { readonly file: string; readonly model: Graph }>(
  teacher: T,
  { inputs }: PreparedDataset,
): T {
  const columns = inputs.flatMap(({ processor }) => processor.columns);
  const strange = teacher.model.inputs.find(
    ({ name, type }) => !columns.some((column) => column.name === name && column.type === type),
  );
  if (!strange) return teacher;
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
