import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import type { Graph } from '../../onnx/graph.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { modelFiles } from '../../teachers/model-folder.ts';
import { openPairFile, withPairs } from '../../teachers/pair-file.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { RunOptions } from '../context/run-options.ts';
import { textLabelling } from '../teaching/ask-teacher.ts';

/** A recipe's teacher of other samples than texts or images alone. */
export interface SampleTeaching {
  /** Of texts: the teacher's own. */
  readonly tokenizer?: Tokenizer;
  /** What its answers depend on besides its model and the samples. */
  readonly preprocessing: string;
  /** Opens its model, for the shapes that the data have. */
  open(dataset: PreparedDataset): Promise<TeacherSource>;
}

/**
 * Opens what a recipe's teacher needs before the data; undefined without a teacher.
 *
 * @throws LimbeckError `recipe.invalid` for a teacher of other samples
 */
export async function openSampleTeacher(
  { recipe, options }: { readonly recipe: Recipe; readonly options: RunOptions },
  modalities: string,
): Promise<SampleTeaching | undefined> {
  const choice = recipe.teacher as ({ readonly kind: string } & Record<string, unknown>) | undefined;
  if (!choice) return undefined;
  const resolve = recipePathResolver(options, 'teacher');
  if (choice.kind === 'onnx-pair') {
    const source = await openPairFile(resolve(choice.model as string));
    return {
      tokenizer: source.tokenizer,
      preprocessing: textLabelling(source, recipe.data.maxLength).preprocessing,
      open: async () => ({ ...source, model: withPairs(source.model, outputsOf(recipe)[0]?.name as string) }),
    };
  }
  if (choice.kind === 'onnx-columns') {
    const { model: file } = modelFiles(resolve(choice.model as string));
    const model = readModelFile(file);
    return {
      preprocessing: 'the columns as the data set has them',
      async open({ inputs }) {
        requireColumns(model, inputs, file);
        return { title: file, file, model };
      },
    };
  }
  throw new LimbeckError('recipe.invalid', `no teacher '${choice.kind}' of ${modalities}`, {
    where: 'teacher.kind',
    remedy: 'Name onnx-columns; onnx-pair for texts and images.',
  });
}

function requireColumns(model: Graph, inputs: PreparedDataset['inputs'], file: string): void {
  const columns = inputs.flatMap(({ processor }) => processor.columns);
  const strange = model.inputs.find(
    ({ name, type }) => !columns.some((column) => column.name === name && column.type === type),
  );
  if (!strange) return;
  throw new LimbeckError(
    'teacher.inputs',
    `the teacher reads '${strange.name}' (${strange.type}), which no input gives`,
    {
      where: `${file}; columns: ${columns.map(({ name, type }) => `${name} (${type})`).join(', ')}`,
      remedy: 'Export it with inputs of these names and types.',
    },
  );
}
