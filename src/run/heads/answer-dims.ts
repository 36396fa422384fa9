import { SEQUENCE } from '../../data/columns.ts';
import { type LabelEncoding, LOGITS_ENCODING } from '../../knowledge/label-encoding.ts';
import type { AnswerDims } from '../../knowledge/true-length.ts';
import type { Graph } from '../../onnx/graph.ts';
import { isByToken } from '../../targets/features.ts';
import type { Head } from '../../targets/head.ts';

/** How the answers of a model's outputs are kept: as its only one, or all of several in full. */
export function encodingOf(heads: readonly Head[]): LabelEncoding {
  const [first, ...others] = new Set(heads.map(({ target, kept }) => kept?.encoding ?? target.encoding));
  return first !== undefined && others.length === 0 ? first : 'float32';
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
      if (kept) return [output, [SEQUENCE, kept.width]];
      const shape = outputs.find(({ name }) => name === output)?.shape ?? [];
      const dims = shape
        .slice(1)
        .map((dim, axis) => (isByToken(features) && axis === 0 && typeof dim !== 'number' ? SEQUENCE : dim));
      return [output, dims as AnswerDims];
    }),
  );
}
