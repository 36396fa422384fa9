import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { keptAnswers } from './kept-answers.ts';
import { defineObjective, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { meanOverTokens } from './token-classes.ts';

/** Log-likelihoods are kept below 0 by this much: of a certain span nothing is left over that could be compared. */
const LEAST = 1e-6;

/**
 * How far two likelihoods of the same bytes are apart, in nats: tau KL(Bernoulli(p^(1 / tau)) || Bernoulli(q^(1 / tau))), p the teacher's
 * and q the student's, elementwise. The factor tau gives it a limit for large tau, log(p / q) - log(p) log(log(p) / log(q)), and
 * gradients of the same size for every tau.
 *
 * Minixhofer, Vulic and Ponti, "Universal Cross-Tokenizer Distillation via Approximate Likelihood Matching" (2025, arXiv 2503.20083):
 * the binarised f-divergence f(p^(1/tau) || q^(1/tau)) + f(1 - p^(1/tau) || 1 - q^(1/tau)) of the likelihoods of a chunk, with f that of KL.
 *
 * @param teacher log-likelihoods, float32
 * @param student log-likelihoods, float32 of the same shape
 */
export function binarisedKl(
  g: GraphBuilder,
  { teacher, student, temperature }: { teacher: TypedValue; student: TypedValue; temperature: number },
): TypedValue {
  const [theirs, ours] = [teacher, student].map((log) => g.min(g.div(log, temperature), -LEAST)) as [
    TypedValue,
    TypedValue,
  ];
  const so = g.mul(g.exp(theirs), g.sub(theirs, ours));
  const not = g.mul(otherwise(g, theirs), g.sub(g.log(otherwise(g, theirs)), g.log(otherwise(g, ours))));
  return g.mul(g.add(so, not), temperature);
}

/** 1 - e^x for x < 0, with all digits also near 0: tanh(-x / 2) (1 + e^x). */
function otherwise(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.mul(g.tanh(g.mul(x, -0.5)), g.add(1, g.exp(x)));
}

/**
 * The log-likelihoods of spans, float32 [B, T]: at token i the sum over the `counts[i]` tokens that come after those from
 * i - counts[i] to i - 1, that is of the tokens that the span ends with at i.
 *
 * @param next log-probabilities of the token that comes after each, float32 [B, T]; 0 where none is asked for
 * @param counts tokens of the span that ends at each, int64 [B, T]; 0 for none
 */
export function spanSums(g: GraphBuilder, next: TypedValue, counts: TypedValue): TypedValue {
  const [batch, length] = next.shape as [number, number];
  const before = g.op('CumSum', [next, g.scalar(1, 'int64')], { exclusive: 1 });
  const places = g.constant({
    type: 'int64',
    dims: [1, length],
    data: BigInt64Array.from({ length }, (_, i) => BigInt(i)),
  });
  const from = g.max(g.sub(g.expand(places, [batch, length]), counts), 0);
  return g.sub(before, g.gatherElements(before, from, 1));
}

export const alignedLikelihoods = defineObjective({
  kind: 'alignedLikelihoods',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: outputOption,
      temperature: z
        .number()
        .positive()
        .max(10_000)
        .default(100)
        .describe("Likelihoods are compared as p^(1 / temperature); that of 100 is the paper's."),
    })
    .describe(
      "Divergence of the likelihoods that teacher and student give the same bytes (approximate likelihood matching, arXiv 2503.20083), for a student with other tokens than its teacher's; the mean over the spans between places where tokens of both end. Needs outputs.NAME.keep: spans.",
    ),
  answers: ({ output }, context) => [namesFor('alignedLikelihoods', output, context).tap],
  term({ weight, output, temperature }, context) {
    const names = namesFor('alignedLikelihoods', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { logits, next, kept, asked } = keptAnswers(g, inputs, names, context, 'spans');
        const known = g.cast(g.greaterOrEqual(next, 0), 'float32');
        const safe = g.unsqueeze(g.cast(g.max(next, 0), 'int64'), [2]);
        const own = g.mul(g.squeeze(g.gatherElements(g.logSoftmax(logits), safe, 2), [2]), known);
        const [counts, teacher] = [0, 1].map((i) => g.squeeze(g.slice(kept, 2, i, i + 1), [2])) as [
          TypedValue,
          TypedValue,
        ];
        const student = spanSums(g, own, g.cast(counts, 'int64'));
        const there = g.cast(g.greaterOrEqual(counts, 1), 'float32');
        return meanOverTokens(g, binarisedKl(g, { teacher, student, temperature }), g.mul(asked, there));
      },
    };
  },
});
