import { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { writeDualEncoder } from '../../export/dual-encoder.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { FrozenTower } from '../../students/backbone.ts';
import type { Head } from '../../targets/head.ts';
import { openPairFile, type PairTeacherSource, withPairs } from '../../teachers/pair-file.ts';
import { openUseLite } from '../../teachers/use-lite/open.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import type { StudentPackage } from '../context/task.ts';
import { textLabelling } from '../teaching/ask-teacher.ts';
import { inputFiles, openColumns, writeColumnStudent } from './columns.ts';
import type { RecipeRun, SampleKind, SampleReading } from './sample-kind.ts';

/** What cosines of pairs are multiplied by where no temperature was learnt: that of CLIP (Radford et al., 2021). */
const LOGIT_SCALE = 100;

/** Texts with an image each. */
export const pairs: SampleKind = {
  unit: 'pairs',
  reads: 'image+text',
  async open(run) {
    const { recipe } = run;
    const source = await openPairTeacher(run);
    const reading: SampleReading = source
      ? {
          tokenizer: source.tokenizer,
          preprocessing: textLabelling(source, recipe.data.maxLength).preprocessing,
          warnings: source.tokenizer.warnings,
          bind: () => ({
            teacher: { ...source, model: withPairs(source.model, outputsOf(recipe)[0]?.name as string) },
            write: () => undefined,
          }),
        }
      : await openColumns(run);
    const { tokenizer } = reading;
    return {
      ...reading,
      async bind(dataset) {
        return {
          ...(await reading.bind(dataset)),
          frozen: await frozenTower(recipe),
          write: (folder, models) => writePairStudent({ recipe, dataset, tokenizer }, folder, models),
        };
      },
    };
  },
};

async function openPairTeacher({ recipe, options }: RecipeRun): Promise<PairTeacherSource | undefined> {
  const choice = recipe.teacher as { readonly kind: string; readonly model: string } | undefined;
  if (choice?.kind !== 'onnx-pair') return undefined;
  return openPairFile(recipePathResolver(options, 'teacher')(choice.model));
}

/** The text tower of a dual encoder that is not trained. */
async function frozenTower({ student }: Recipe): Promise<FrozenTower | undefined> {
  if (student.kind !== 'dual-encoder' || student.text.kind !== 'use-lite') return undefined;
  const { model, embeddingOutput } = await openUseLite();
  return { graph: model, output: embeddingOutput as string };
}

/** As transformers.js has it for a text and an image; of more inputs, as columns. */
function writePairStudent(
  context: {
    readonly recipe: Recipe;
    readonly dataset: PreparedDataset;
    readonly tokenizer: Tokenizer | undefined;
  },
  folder: string,
  models: StudentPackage,
): void {
  const { recipe, dataset, tokenizer } = context;
  const image = dataset.inputs.find(({ processor }) => processor instanceof ImageProcessor)?.processor;
  if (dataset.inputs.length !== 2 || !tokenizer || !(image instanceof ImageProcessor)) {
    writeColumnStudent(context, folder, models);
    return;
  }
  const [main] = models.heads as [Head, ...Head[]];
  writeDualEncoder(folder, {
    ...models,
    architecture: recipe.student.kind,
    width: (main.space as { readonly width: number }).width / 2,
    pairs: main.output,
    logitScale: LOGIT_SCALE,
    vocabularySize: tokenizer.vocabularySize,
    padTokenId: tokenizer.padId,
    maxLength: recipe.data.maxLength,
    dims: image.dims,
    files: inputFiles(dataset),
  });
}
