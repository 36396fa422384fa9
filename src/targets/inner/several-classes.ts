import { stopGradient } from '../../autodiff/stop-gradient.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { classLogit } from './class-logit.ts';
import { binaryDivergence, binaryEntropy, rowMean, weighedRowMean } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';
import { positiveSum } from './positive-sum.ts';

/** Answers that are a logit for each of several classes, which are true beside each other: float32 [B, C]. */
export const SEVERAL_CLASSES: InnerKnowledge = {
  truth: 'numbers',
  score: (g, { answers, teacher }) => positiveSum(g, answers, teacher),
  classScores: (g, answers) => g.identity(answers),
  uncertainty: (g, { answers }) => rowMean(g, binaryEntropy(g, answers)),
  distance: (g, { answers, teacher }) => rowMean(g, binaryDivergence(g, stopGradient(g, answers), teacher)),
  /** The geometric mean of the probabilities that known classes are given; right is who decides all of them rightly. */
  confidence(g, { answers, truth, teacher }) {
    const said = teacher ? g.cast(g.greater(teacher, 0), 'float32') : g.mul(answers, 0);
    const isKnown = truth && g.greaterOrEqual(truth, 0);
    const labels = truth && isKnown ? g.where(isKnown, truth, said) : said;
    const known = isKnown && !teacher ? g.cast(isKnown, 'float32') : g.add(g.mul(said, 0), 1);
    const losses = g.sub(g.op('Softplus', [answers]), g.mul(answers, labels));
    const isWrong = g.cast(
      g.greater(g.abs(g.sub(g.cast(g.greater(answers, 0), 'float32'), labels)), 0.5),
      'float32',
    );
    const wrong = g.reduceSum(g.mul(isWrong, known), { axes: [1], keepDims: false });
    return {
      confidence: g.exp(g.neg(weighedRowMean(g, losses, known))),
      correct: g.sub(1, g.min(wrong, 1)),
    };
  },
  sureOfItself: true,
  judged: true,
  boundary: {
    margin(g, { answers, teacher }) {
      const nearest = narrowest(g, teacher);
      const side = g.sub(g.mul(g.cast(g.greater(classLogit(g, teacher, nearest), 0), 'float32'), 2), 1);
      return g.mul(classLogit(g, answers, nearest), side);
    },
    distribution: 'bernoulli',
    decided(logits) {
      const sizes = logits.map((logit) => Math.abs(2 / (1 + Math.exp(-logit)) - 1));
      const yes = [...logits.keys()].filter((place) => (logits[place] as number) > 0);
      return { answer: yes.join(), margin: Math.min(...sizes) };
    },
  },
  tasks: { because: 'a sample of several classes would belong to several tasks' },
};

/** The class of each row that is decided most narrowly: int64 [B]. */
function narrowest(g: GraphBuilder, teacher: TypedValue): TypedValue {
  return g.argMax(g.neg(g.abs(teacher)));
}
