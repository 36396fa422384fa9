import type { GroundTruth } from '../../data/ground-truth.ts';
import { type ClassResolver, classLabels } from '../../data/labels/class-labels.ts';
import { labelNames } from '../../data/labels/label-reader.ts';
import type { Preprocessing } from '../../data/modalities/image/preprocessing.ts';
import { findModality } from '../../data/modalities/index.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { DatasetInput, DatasetOutput } from '../../data/prepared/dataset-parts.ts';
import { prepareDataset } from '../../data/prepared/prepare-dataset.ts';
import type { DataSource, FieldDeclaration } from '../../data/sample.ts';
import { openSource, type SourceOptions } from '../../data/sources/index.ts';
import type { KeptSplits } from '../../data/splits/kept-splits.ts';
import { LimbeckError } from '../../errors.ts';
import { statSync } from '../../platform/files.ts';
import { dirname, join, resolve } from '../../platform/paths.ts';
import { HELD_OUT } from '../../recipe/data.ts';
import {
  inputKey,
  inputsOf,
  outputKeys,
  outputsOf,
  type RecipeInputPart,
  type RecipeOutputPart,
  wantedColumns,
} from '../../recipe/parts.ts';
import { resolvePath } from '../../recipe/resolve.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { findTarget } from '../../targets/index.ts';
import { requireWritableFolder } from '../../writable-folder.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import { dataCacheFolder } from '../context/run-context.ts';
import type { RunOptions } from '../context/run-options.ts';
import { tellDamagedData } from './damaged-data.ts';

const OTHER_FOLDER =
  'Prepared data lie beside the knowledge store: name another folder for it (--store, or `store:` in the recipe), or give this user the right to write there.';

export interface PrepareDataOptions {
  /** Of texts: the run's. */
  readonly tokenizer?: Tokenizer | undefined;
  /** How teachers want their images, where they say so. */
  readonly teacherImages?: readonly Preprocessing[] | undefined;
  readonly kept?: KeptSplits | undefined;
  readonly onProgress?: ((rows: number) => void) | undefined;
  /**
   * Of a language model: its documents whole, as they are, for a vocabulary to be learnt from; nothing is known of outputs then.
   * Each belongs to the split that its pieces will belong to, where splits are parts and not numbers of samples.
   */
  readonly wholeDocuments?: boolean;
  /** Decides, with the classes of the data, which classes there are. @param title of the source */
  readonly classesOf?: (title: string) => ClassResolver;
}

/** A recipe's data, prepared: whatever its inputs and outputs are. */
export async function prepareRecipeData(
  { recipe, options }: { readonly recipe: Recipe; readonly options: RunOptions },
  { tokenizer, teacherImages, kept, onProgress, classesOf, wholeDocuments = false }: PrepareDataOptions,
): Promise<PreparedDataset> {
  const folder = dataCacheFolder(recipe, options);
  // One that is there may hold the data set already.
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    requireWritableFolder(folder, 'data.unwritable', OTHER_FOLDER);
  const { signal } = options;
  const { seed, data } = recipe;
  const { seed: drawnBy = seed, ...splits } = data.splits;
  const inRecipe = recipePathResolver(options, 'data.source');
  const opened = await openSource(data.source as SourceOptions, {
    resolvePath: inRecipe,
    cacheFolder: join(dirname(folder), 'downloads'),
    columns: wantedColumns(recipe),
    ...(signal && { signal }),
  });
  const source = await (wholeDocuments ? inTexts : inPieces)(recipe, opened, tokenizer);
  const declared = (await source.declares?.()) ?? {};
  const inputs: DatasetInput[] = [];
  for (const part of inputsOf(recipe)) inputs.push(await openInput(part, declared));
  const classes = (listed: unknown) =>
    classLabels({
      labels: (listed as string[] | undefined) ?? data.labels,
      renameLabels: data.renameLabels && labelNames(data.renameLabels),
      ...(classesOf && { classes: classesOf(source.title) }),
    }) as GroundTruth;
  const outputs = wholeDocuments ? [] : outputsOf(recipe).flatMap((part) => openOutput(part) ?? []);
  requireWholeImages(inputs, outputs);
  const dataset = await prepareDataset({
    source,
    inputs,
    outputs,
    splits: { ...splits, otherwise: HELD_OUT },
    labelsPerClass: data.labelsPerClass,
    onBrokenRow: data.onBrokenRow,
    seed: drawnBy,
    folder,
    kept,
    signal,
    onProgress,
    onDamaged: tellDamagedData(options),
  });
  return outputsOf(recipe).some(({ target, field }) => target === 'pairs' && field === undefined)
    ? allLabelled(dataset)
    : dataset;

  /** Undefined for an output of which only the teacher knows anything. */
  function openOutput(part: RecipeOutputPart): DatasetOutput | undefined {
    const { name, target, field, options: own } = part;
    if (field === undefined) return undefined;
    const keys = outputKeys(recipe, part);
    if (target === 'class') return { name, field, keys, truth: classes(own.labels) };
    const found = findTarget(target);
    if (!found)
      throw new LimbeckError('data.options', `there is no target '${target}'`, { where: `outputs.${name}` });
    return { name, field, keys, truth: found.truth(found.options.parse(own), { tokenizer }) };
  }

  async function openInput(
    { name, modality, fields, options: own }: RecipeInputPart,
    fieldsDeclared: Readonly<Record<string, FieldDeclaration>>,
  ): Promise<DatasetInput> {
    const found = findModality(modality);
    if (!found)
      throw new LimbeckError('data.options', `there is no modality '${modality}'`, {
        where: `inputs.${name}`,
      });
    const processor = await found.open(found.options.parse(own), {
      input: name,
      fields,
      maxLength: data.maxLength,
      buckets: data.buckets,
      declared: fieldsDeclared[fields[0] as string],
      resolvePath: inRecipe,
      tokenizer,
      teacherImages,
      signal,
    });
    const allowed = (from: string | undefined, path: string) => resolveDataPath(from, path, inRecipe);
    const key = inputKey(recipe, { name });
    return { name, fields, key, modality, processor, ...(found.readsFiles && { resolve: allowed }) };
  }
}

/** The source, its conversations as what is said in them, line by line. */
async function inTexts(recipe: Recipe, source: DataSource): Promise<DataSource> {
  const [text] = inputsOf(recipe);
  const [field] = text?.fields ?? [];
  if (text?.options.conversations !== true || field === undefined) return source;
  const { spokenTexts } = await import('../../data/corpus/spoken-texts.ts');
  const { tools } = text.options as { readonly tools?: string };
  return spokenTexts(source, { field, tools });
}

/** Conversations are what language models learn to go on with; other answers are about texts. */
function requireWriter(recipe: Recipe, whole: boolean): void {
  const spoken = inputsOf(recipe).find(({ options }) => options.conversations === true);
  const tooled = inputsOf(recipe).find(({ options }) => options.tools !== undefined);
  if (tooled && tooled !== spoken) {
    throw new LimbeckError('recipe.invalid', 'tools are those of conversations', {
      where: `inputs.${tooled.name}.tools`,
      remedy: 'Set conversations: true, or leave tools out.',
    });
  }
  if (!spoken || whole) return;
  throw new LimbeckError('recipe.invalid', 'conversations are read by language models alone', {
    where: `inputs.${spoken.name}.conversations`,
    remedy: 'Set task: text-generation, or name a column of texts.',
  });
}

/** The source's documents in pieces, where an output is told of whole ones; the source itself otherwise. */
async function inPieces(
  recipe: Recipe,
  source: DataSource,
  tokenizer: Tokenizer | undefined,
): Promise<DataSource> {
  const whole = outputsOf(recipe).some(({ target }) => findTarget(target)?.readsDocuments);
  const [text, ...others] = inputsOf(recipe);
  requireWriter(recipe, whole);
  if (!whole || !tokenizer || !text) return source;
  const outputFields = outputsOf(recipe).map(({ field }) => field);
  const [field, ...more] = text.fields as [string, ...string[]];
  if (
    others.length > 0 ||
    more.length > 0 ||
    text.modality !== 'text' ||
    outputFields.some((one) => one !== field)
  ) {
    throw new LimbeckError(
      'recipe.invalid',
      'a language model reads one column of texts, and tells what comes next in it',
      {
        where: 'inputs, outputs',
        remedy: `Give the recipe one input of texts, and one output with its field (outputs: { logits: { target: next-tokens, field: ${field} } }).`,
      },
    );
  }
  const options = { field, tokenizer, maxLength: recipe.data.maxLength };
  // Loaded where they are used: pages do not pay for them.
  if (text.options.conversations !== true) {
    const { corpusSource } = await import('../../data/corpus/corpus-source.ts');
    return corpusSource(source, options);
  }
  const template = tokenizer.chatTemplate;
  if (template) {
    const { conversationSource } = await import('../../data/corpus/conversation-source.ts');
    const { tools } = text.options as { readonly tools?: string };
    return conversationSource(source, { ...options, template, tools });
  }
  throw new LimbeckError('tokenizer.template', 'the tokenizer does not say how conversations are written', {
    where: `inputs.${text.name}.conversations`,
    remedy: `Give the tokenizer.json of a model for conversations (inputs.${text.name}.tokenizer), with its chat_template in tokenizer_config.json or chat_template.jinja beside it; or let one be learnt with the tokens of ChatML: { train: { kind: bpe, special: ['<|im_start|>', '<|im_end|>'] } }.`,
  });
}

/** A path that a row names: within the folder of the data that name it, or where else the recipe may reach. */
function resolveDataPath(
  folder: string | undefined,
  path: string,
  resolveInRecipe: (path: string) => string,
): string {
  if (folder === undefined) return resolveInRecipe(path);
  const whole = resolve(folder, path);
  try {
    return resolvePath(whole, { recipeFolder: folder, workingFolder: folder });
  } catch {
    return resolveInRecipe(whole);
  }
}

/** Of pairs, what belongs together is known of every sample. */
function allLabelled(dataset: PreparedDataset): PreparedDataset {
  return { ...dataset, splits: { ...dataset.splits, labelled: dataset.splits.train } };
}

/** Boxes would lie elsewhere in images of which parts are cut off. */
function requireWholeImages(inputs: readonly DatasetInput[], outputs: readonly DatasetOutput[]): void {
  const cut = inputs.find(({ processor }) => processor.cutsOff);
  const placed = outputs.find(({ truth }) => truth.wantsWholeImages);
  if (!cut || !placed) return;
  throw new LimbeckError(
    'data.options',
    `the output '${placed.name}' has places in whole images, and parts of them are cut off`,
    {
      where: `inputs.${cut.name}`,
      remedy: `Set inputs.${cut.name}.fit to stretch (a preprocessor_config.json may not crop).`,
    },
  );
}
