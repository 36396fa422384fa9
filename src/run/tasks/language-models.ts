import { documentFrame } from '../../data/corpus/document-pieces.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { Split } from '../../data/split.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { writeLanguageModel } from '../../export/language-model.ts';
import type { DecoderArchitecture } from '../../export/language-model-config.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { GivenDecoder } from '../../students/decoder-parts.ts';
import { findTarget } from '../../targets/index.ts';
import { rowIds } from '../batches/taught-texts.ts';
import type { BoundSamples } from './sample-kind.ts';

/** Whether a recipe's student says what comes next in a text, and leaves as a language model. */
export function isLanguageModel(recipe: Pick<Recipe, 'outputs' | 'task' | 'data'>): boolean {
  return outputsOf(recipe).some(({ target }) => findTarget(target)?.readsDocuments);
}

/**
 * What ships of a language model: models with a cache of keys and values, and a tokenizer that leaves prompts open.
 *
 * @param given what a student is built of that is cut out of its teacher
 */
export function shippingLanguageModel(
  { student, data }: Recipe,
  tokenizer: Tokenizer,
  given?: GivenDecoder | undefined,
): Pick<BoundSamples, 'readerInput' | 'write'> {
  const { maxLength } = data;
  const [beginId] = tokenizer.encode('').slice(0, tokenizer.frame.before);
  return {
    readerInput(split, ordinal) {
      const text = (split as TextSplit).text(ordinal);
      const ids = tokenizer.promptIds(text);
      // What comes from the middle of a document may begin within a word, whose tokens alone are others.
      const own = idsOf(split, ordinal);
      return ids.length > 0 && ids.length <= own.length && ids.every((id, i) => id === own[i])
        ? { text, tokens: ids.length }
        : undefined;
    },
    write: (folder, models) =>
      writeLanguageModel(folder, {
        ...models,
        architecture: given?.kind ?? (student.kind as DecoderArchitecture),
        ...(given && { form: given.sizes }),
        vocabularySize: tokenizer.vocabularySize,
        maxLength,
        beginId,
        // What stood behind every document: the tokenizer's own last token, or its end of text.
        endIds: documentFrame(tokenizer).after.slice(0, 1),
        padTokenId: tokenizer.padId,
        tokenizerFiles: tokenizer.toPromptFiles(maxLength),
      }),
  };
}

/** The tokens of one sample of a split, by its position there. */
function idsOf(split: Split, ordinal: number): readonly number[] {
  let [bucket, place] = [0, ordinal];
  for (const { size } of split.buckets) {
    if (place < size) break;
    place -= size;
    bucket++;
  }
  const [ids] = rowIds(split.readBatch(bucket, [place], 1));
  return ids ? [...ids] : [];
}
