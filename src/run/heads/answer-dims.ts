import { SEQUENCE } from '../../data/columns.ts';
import { type LabelEncoding, LOGITS_ENCODING } from '../../knowledge/label-encoding.ts';
import type { AnswerDims } from '../../knowledge/true-length.ts';
import type { Graph } from '../../onnx/graph.ts';
import { isByToken } from '../../targets/features.ts';
import type { Head } from '../../targets/head.ts';

/** How the answers of a model's outputs are kept: as its only one, or all of several in full. */
export function encodingOf(heads: readonly Head[]): LabelEncoding {
  const [first, ...others] = new Set(heads.map(ownEncoding));
  return first !== undefined && others.length === 0 ? first : 'float32';
}

/** What is kept of words of sentences lies at places of one number, without tokens to be counted by: in float32, which holds ids exactly. */
function ownEncoding({ target, kept, features }: Head): LabelEncoding {
  if (!kept) return target.encoding;
  return isByToken(features) ? kept.encoding : 'float32';
}

/** Whether a softmax's answers are what is kept: then those of earlier versions are other ones. */
export function keepsLogits(heads: readonly Head[]): boolean {
  return encodingOf(heads) === LOGITS_ENCODING;
}

/**
 * What a student answers for a sample, by output: without the batch, `sequence` where that is the number of tokens. Frames of a
 * clip are no tokens: there are as many in every clip.
 */
export function answerDims({ outputs }: Graph, heads: readonly Head[]): ReadonlyMap<string, AnswerDims> {
  return new Map(
    heads.map(({ output, features, kept }) => {
      const shape = outputs.find(({ name }) => name === output)?.shape ?? [];
      if (kept)
        return [output, [isByToken(features) ? SEQUENCE : (shape[1] as number), kept.width] as AnswerDims];
      const dims = shape
        .slice(1)
        .map((dim, axis) => (isByToken(features) && axis === 0 && typeof dim !== 'number' ? SEQUENCE : dim));
      return [output, dims as AnswerDims];
    }),
  );
}
