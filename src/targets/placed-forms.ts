import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KeptForm } from './kept-form.ts';

/**
 * For each token of the student, what says where the teacher's answer about it is: the teacher's token that ends at the same byte
 * (-1 where none does), 1 where what comes next is compared there, and of the span of bytes that ends there the teacher's token
 * before it and how many of the student's tokens it has (0 for no span).
 */
export const PLACES = 4;

/**
 * The k largest probabilities of what comes next, from the largest on, without their tokens: what two vocabularies that differ can be
 * compared by (`uld`). Zeros for tokens that do not end where one of the teacher's does.
 */
export function sortedProbabilities(k: number): KeptForm {
  return {
    title: `the ${k} largest probabilities in order, at the student's tokens`,
    width: k,
    kind: 'sorted',
    encoding: 'float16-trimmed',
    placed: true,
    build(g, logits, _ids, _mask, places) {
      const vocabulary = logits.shape[2];
      const most = typeof vocabulary === 'number' ? Math.min(k, vocabulary) : k;
      const [largest] = g.node('TopK', [g.softmax(logits), g.ints([most])], { axis: -1 }, { outputs: 2 });
      const [place, asked] = columnsOf(g, places);
      const zeros = g.constant({ type: 'int64', dims: [most], data: new BigInt64Array(most) });
      const at = g.add(g.unsqueeze(g.max(place, 0), [2]), zeros);
      const there = g.unsqueeze(g.cast(asked, 'float32'), [2]);
      const kept = g.mul(g.gatherElements(largest as TypedValue, at, 1), there);
      return most < k ? g.pad(kept, 2, 0, k - most) : kept;
    },
  };
}

/**
 * Of each span of bytes between two successive places where tokens of both models end, how many of the student's tokens it has and
 * the teacher's log-likelihood of it, at the student's last token of the span; zeros elsewhere (`alignedLikelihoods`).
 */
export function spanLikelihoods(): KeptForm {
  return {
    title: "the likelihoods of spans, at the student's tokens",
    width: 2,
    kind: 'spans',
    encoding: 'float16-trimmed',
    placed: true,
    build(g, logits, ids, _mask, places) {
      const [place, , before, tokens] = columnsOf(g, places);
      const count = g.cast(tokens, 'float32');
      const next = g.unsqueeze(g.slice(ids, 1, 1, END), [2]);
      const own = g.gatherElements(g.logSoftmax(g.slice(logits, 1, 0, -1)), next, 2);
      const read = likelihoodBefore(g, g.squeeze(own, [2]));
      const [to, from] = [place, before].map((at) => g.gatherElements(read, g.max(at, 0), 1));
      const likelihood = g.mul(g.sub(to as TypedValue, from as TypedValue), g.min(count, 1));
      return g.concat([g.unsqueeze(count, [2]), g.unsqueeze(likelihood, [2])], 2);
    },
  };
}

/**
 * The log-likelihood of all tokens of a text up to each, without the first, float32 [B, T], of those of the tokens after each but the
 * last, [B, T - 1].
 */
export function likelihoodBefore(g: GraphBuilder, next: TypedValue): TypedValue {
  return g.pad(g.op('CumSum', [next, g.scalar(1, 'int64')]), 1, 1, 0);
}

/** What a slice to the end of an axis ends with. */
const END = Number.MAX_SAFE_INTEGER;

function columnsOf(
  g: GraphBuilder,
  places: TypedValue | undefined,
): [TypedValue, TypedValue, TypedValue, TypedValue] {
  if (!places) throw new Error('nothing says which tokens of the teacher belong to those of the student');
  const column = (i: number) => g.squeeze(g.slice(places, 2, i, i + 1), [2]);
  return [column(0), column(1), column(2), column(3)];
}
