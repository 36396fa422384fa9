import { canonicalJson } from '../../data/canonical-json.ts';
import { parseTokenizer, type Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { type BpeOptions, trainBpe } from '../../data/modalities/text/tokenizer/train-bpe.ts';
import {
  trainWordPiece,
  type WordPieceOptions,
} from '../../data/modalities/text/tokenizer/train-wordpiece.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import { utf8Of } from '../../platform/bytes.ts';
import { existsSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { dirname, join } from '../../platform/paths.ts';
import { inputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { readTokenizer } from '../../teachers/onnx-file.ts';
import { sentenceReading } from '../../teachers/sentence-reading.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import { dataCacheFolder } from '../context/run-context.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { addHeldOut, type DocumentHashes, textsApart } from './apart-from-held-out.ts';
import { isLanguageModel } from './language-models.ts';
import type { RecipeRun } from './sample-kind.ts';

/** Changes when the same texts would give another vocabulary. */
const FORMAT = 1;

type Training = ({ readonly kind: 'wordpiece' } & WordPieceOptions) | ({ readonly kind: 'bpe' } & BpeOptions);
type Choice = string | { readonly train: Training } | undefined;

/**
 * The tokenizer that a recipe gives its student: a file's, or one whose vocabulary is learnt from the training texts, which are
 * prepared for that once by `basis`; `basis` itself where it names none.
 *
 * @throws LimbeckError `tokenizer.missing`, `tokenizer.invalid`, `recipe.path-outside`, and what preparing the data throws
 */
export async function studentTokenizer(run: RecipeRun, basis: () => Promise<Tokenizer>): Promise<Tokenizer> {
  const choice = choiceOf(run.recipe);
  if (choice === undefined) return basis();
  if (typeof choice === 'string') {
    const path = recipePathResolver(run.options, 'inputs')(choice);
    // A model of sentence-transformers is read as it, where this is its tokenizer.
    return (await readTokenizer(path, sentenceReading({ folders: [dirname(path)] }))).tokenizer;
  }
  return learnt(run, choice.train, await basis());
}

/** Whether the student has a tokenizer of its own. */
export function choosesTokenizer(recipe: Recipe): boolean {
  return choiceOf(recipe) !== undefined;
}

function choiceOf(recipe: Recipe): Choice {
  const texts = inputsOf(recipe).filter(({ modality }) => modality === 'text');
  const [first, ...others] = texts.map(({ options }) => options.tokenizer as Choice);
  const other = others.find((one) => canonicalJson(one ?? null) !== canonicalJson(first ?? null));
  if (!other) return first;
  throw new LimbeckError('recipe.invalid', 'the texts of a recipe are read by one tokenizer', {
    where: texts.map(({ name }) => `inputs.${name}.tokenizer`).join(', '),
    remedy: 'Give all of them the same.',
  });
}

async function learnt(run: RecipeRun, options: Training, basis: Tokenizer): Promise<Tokenizer> {
  const wholeDocuments = isLanguageModel(run.recipe);
  const dataset = await prepareRecipeData(run, { tokenizer: basis, wholeDocuments });
  try {
    const apart: DocumentHashes = new Set();
    for (;;) {
      const tokenizer = learntApart(run, options, dataset, apart);
      // Texts are split as they are. Of documents the pieces are, which are known with the tokens: it is learnt again without those
      // that turn out to be held out, until there are none.
      if (!wholeDocuments) return tokenizer;
      const pieces = await prepareRecipeData(run, { tokenizer });
      try {
        if (addHeldOut(apart, dataset, pieces) === 0) return tokenizer;
      } finally {
        pieces.close();
      }
    }
  } finally {
    dataset.close();
  }
}

/** A vocabulary of the training texts but those apart, which is kept. */
function learntApart(
  { recipe, options: where }: RecipeRun,
  options: Training,
  { contentHash, splits }: PreparedDataset,
  apart: DocumentHashes,
): Tokenizer {
  const without = apart.size > 0 ? { apart: [...apart].sort((a, b) => a - b) } : {};
  const key = createSha256()
    .update(canonicalJson({ format: FORMAT, dataset: contentHash, options, ...without }))
    .digest('hex')
    .slice(0, 32);
  const file = join(dataCacheFolder(recipe, where), '..', 'tokenizers', `${key}.json`);
  const kept = existsSync(file) ? opened(readRegularText(file), file) : undefined;
  if (kept) return kept;
  const text = JSON.stringify(trained(textsApart(splits.train, apart), options));
  replaceFile(file, text, 'data');
  return opened(text, file) as Tokenizer;
}

function trained(texts: Iterable<string>, options: Training) {
  return options.kind === 'bpe' ? trainBpe(texts, options) : trainWordPiece(texts, options);
}

/** Undefined for a file that was damaged: it is learnt again. */
function opened(text: string, file: string): Tokenizer | undefined {
  try {
    const { json, config } = JSON.parse(text) as { json: unknown; config: unknown };
    return parseTokenizer(utf8Of(JSON.stringify(json)), utf8Of(JSON.stringify(config)), file);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof LimbeckError) return undefined;
    throw error;
  }
}
