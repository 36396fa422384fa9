import { stopGradient } from '../../autodiff/stop-gradient.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { rowMean, rowSum, softmaxDivergence, softmaxEntropy, weighedRowMean } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';

/** Answers that are logits of a class for each token or frame, float32 [B, T, C]; means are over those that count. */
export const CLASSES_OF_PLACES: InnerKnowledge = {
  truth: 'classes',
  /** The logits of the classes that the teacher gives, summed over all places. */
  score(g, { answers, teacher, mask }) {
    const chosen = g.unsqueeze(g.argMax(teacher), [2]);
    const logits = g.squeeze(g.gatherElements(answers, chosen, 2), [2]);
    return rowSum(g, mask ? g.mul(logits, mask) : logits);
  },
  /** The class that some place has most surely, beside the first one, which stands for nothing. */
  classScores(g, answers, { mask }) {
    const classes = answers.shape[2] as number;
    const given = g.softmax(answers);
    const nothing = g.slice(given, 2, 0, 1);
    const probabilities = mask ? g.mul(given, g.unsqueeze(mask, [2])) : given;
    const found = g.reduceMax(g.slice(probabilities, 2, 1, classes), { axes: [1], keepDims: false });
    const elsewhere = mask ? g.max(nothing, g.sub(1, g.unsqueeze(mask, [2]))) : nothing;
    return g.concat([g.reduceMin(elsewhere, { axes: [1], keepDims: false }), found], 1);
  },
  uncertainty: (g, { answers, mask }) => meanOf(g, softmaxEntropy(g, answers), mask),
  distance: (g, { answers, teacher, mask }) =>
    meanOf(g, softmaxDivergence(g, stopGradient(g, answers), teacher), mask),
  /** The geometric mean of the probabilities of the places' classes; right is who has every one of them right. */
  confidence(g, { answers, truth, teacher, mask }) {
    const said = teacher && g.argMax(teacher);
    const labels = truth && g.cast(truth, 'int64');
    const target = labels
      ? said
        ? g.where(g.greaterOrEqual(labels, 0), labels, said)
        : g.max(labels, 0)
      : (said ?? g.argMax(answers));
    const chosen = g.unsqueeze(target, [2]);
    const losses = g.neg(g.squeeze(g.gatherElements(g.logSoftmax(answers), chosen, 2), [2]));
    const known = labels && !said ? g.cast(g.greaterOrEqual(labels, 0), 'float32') : undefined;
    const ones = g.add(g.mul(losses, 0), 1);
    const counts = [known, mask].reduce<TypedValue>(
      (product, one) => (one ? g.mul(product, one) : product),
      ones,
    );
    const highest = g.reduceMax(answers, { axes: [2], keepDims: false });
    const own = g.squeeze(g.gatherElements(answers, chosen, 2), [2]);
    const wrong = rowSum(g, g.mul(g.cast(g.less(own, highest), 'float32'), counts));
    return {
      confidence: g.exp(g.neg(weighedRowMean(g, losses, counts))),
      correct: g.sub(1, g.min(wrong, 1)),
    };
  },
  sureOfItself: true,
  judged: true,
  boundary: { because: 'every token or frame has a boundary of its own' },
  tasks: { because: 'a sample has the classes of several tasks' },
};

function meanOf(g: GraphBuilder, values: TypedValue, mask: TypedValue | undefined): TypedValue {
  return mask ? weighedRowMean(g, values, mask) : rowMean(g, values);
}
