import { stopGradient } from '../../autodiff/stop-gradient.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { rowSum } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';
import { positiveSum } from './positive-sum.ts';

const NO_BOUNDARY = { because: 'a vector changes without a decision boundary' };
const NO_TASKS = { because: 'vectors have no classes that could be divided among tasks' };

/** Answers that are vectors, float32 [B, D], of which the directions count. */
export const A_VECTOR: InnerKnowledge = {
  truth: 'numbers',
  score: (g, { answers, teacher }) => positiveSum(g, answers, teacher),
  /** How far the teacher's direction is from the true one; 0 where nobody knows it: a vector does not say how sure it is. */
  uncertainty: (g, { answers, truth }) => (truth ? apart(g, answers, truth) : nowhere(g, answers)),
  distance: (g, { answers, teacher }) => apart(g, stopGradient(g, answers), teacher),
  confidence(g, { answers, truth, teacher }) {
    const told = truth && teacher ? g.where(g.isNaN(truth), teacher, truth) : (truth ?? teacher ?? answers);
    return { confidence: g.sub(1, apart(g, answers, told)) };
  },
  sureOfItself: false,
  judged: false,
  boundary: NO_BOUNDARY,
  tasks: NO_TASKS,
};

/** Answers that are both vectors of a pair beside each other, float32 [B, 2 * D]: what is known is that they belong together. */
export const A_PAIR: InnerKnowledge = {
  truth: 'numbers',
  score: {
    because:
      'a pair has two inputs that are read apart; name the vector of one side, text_embeds or image_embeds',
  },
  /** How far the teacher puts the two sides apart. */
  uncertainty: (g, { answers }) => apart(g, ...sides(g, answers)),
  /** The mean over both sides. */
  distance(g, { answers, teacher }) {
    const [own, other] = [sides(g, stopGradient(g, answers)), sides(g, teacher)];
    return g.mul(g.add(apart(g, own[0], other[0]), apart(g, own[1], other[1])), 0.5);
  },
  /** How near the two sides are to each other. */
  confidence: (g, { answers }) => ({ confidence: g.sub(1, apart(g, ...sides(g, answers))) }),
  sureOfItself: true,
  judged: false,
  boundary: { because: 'vectors of pairs change without a decision boundary' },
  tasks: NO_TASKS,
};

/** (1 - cos) / 2 of two vectors, 0 to 1; 0 where either has no direction: float32 [B]. */
function apart(g: GraphBuilder, a: TypedValue, b: TypedValue): TypedValue {
  const known = g.where(g.isNaN(b), 0, b);
  const lengths = g.sqrt(g.mul(rowSum(g, g.square(a)), rowSum(g, g.square(known))));
  const cosine = g.div(rowSum(g, g.mul(a, known)), g.max(lengths, 1e-12));
  const has = g.cast(g.greater(lengths, 1e-12), 'float32');
  return g.mul(g.clip(g.mul(g.sub(1, cosine), 0.5), 0, 1), has);
}

function sides(g: GraphBuilder, pair: TypedValue): [TypedValue, TypedValue] {
  const both = pair.shape[1] as number;
  return [g.slice(pair, 1, 0, both / 2), g.slice(pair, 1, both / 2, both)];
}

function nowhere(g: GraphBuilder, answers: TypedValue): TypedValue {
  return rowSum(g, g.mul(answers, 0));
}
