import { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { writeDualEncoder } from '../../export/dual-encoder.ts';
import { CONFIG_FILE, jsonFile, type PackageFile, writePackage } from '../../export/package-folder.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Head } from '../../targets/head.ts';
import type { StudentPackage } from '../context/task.ts';

export interface WrittenStudent {
  readonly recipe: Recipe;
  readonly dataset: PreparedDataset;
  /** The main one first. */
  readonly heads: readonly Head[];
  readonly tokenizer?: Tokenizer | undefined;
}

/** What cosines of pairs are multiplied by where no temperature was learnt: that of CLIP (Radford et al., 2021). */
const LOGIT_SCALE = 100;

/**
 * Writes a student in the layout of its task: as transformers.js has it for pairs of texts and images; a model
 * of other inputs with its `config.json` and the files of its processors.
 */
export function writeStudentOf(student: WrittenStudent, folder: string, models: StudentPackage): void {
  const { recipe, dataset, heads, tokenizer } = student;
  const [main] = heads as [Head, ...Head[]];
  const { inputs } = dataset;
  const files = Object.assign({}, ...inputs.map(({ processor }) => processor.files())) as Record<
    string,
    Uint8Array
  >;
  const architecture = recipe.student.kind;
  const packageFiles = Object.entries(files).map(([name, bytes]): PackageFile => ({ name, bytes }));
  const modalities = inputs
    .map(({ modality }) => modality)
    .sort()
    .join('+');
  const image = inputs.find(({ processor }) => processor instanceof ImageProcessor)?.processor;
  if (modalities === 'image+text' && tokenizer && image instanceof ImageProcessor) {
    writeDualEncoder(folder, {
      ...models,
      architecture,
      width: (main.space as { readonly width: number }).width / 2,
      pairs: main.output,
      logitScale: LOGIT_SCALE,
      vocabularySize: tokenizer.vocabularySize,
      padTokenId: tokenizer.padId,
      maxLength: recipe.data.maxLength,
      dims: image.dims,
      files: packageFiles,
    });
    return;
  }
  writePackage(folder, models, [
    ...packageFiles,
    jsonFile(CONFIG_FILE, {
      model_type: 'limbeck',
      ...main.target.config(main.space, main.options, main.tuned),
      limbeck: { architecture, task: recipe.task },
    }),
  ]);
}
