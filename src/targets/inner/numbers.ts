import { stopGradient } from '../../autodiff/stop-gradient.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { rowMean, rowSum } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';

const NO_BOUNDARY = { because: 'a number changes without a decision boundary' };

/** Answers that are a number, float32 [B, 1]; errors are counted in their spread. */
export const A_NUMBER: InnerKnowledge = {
  truth: 'numbers',
  score: (g, { answers }) => rowSum(g, answers),
  /** The teacher's own error, e^2 / (1 + e^2), where the truth is known; 0 elsewhere: a number does not say how sure it is. */
  uncertainty: (g, { answers, truth, spread }) =>
    truth ? bounded(g, errors(g, answers, truth, spread)) : rowMean(g, g.mul(answers, 0)),
  distance: (g, { answers, teacher, spread }) =>
    bounded(g, errors(g, stopGradient(g, answers), teacher, spread)),
  /** exp(-e^2 / 2): how probable it is beside the best answer, were errors normal with the spread of the data. */
  confidence(g, { answers, truth, teacher, spread }) {
    const told = truth && teacher ? g.where(g.isNaN(truth), teacher, truth) : (truth ?? teacher ?? answers);
    return { confidence: rowMean(g, g.exp(g.mul(errors(g, answers, told, spread), -0.5))) };
  },
  sureOfItself: false,
  judged: false,
  boundary: NO_BOUNDARY,
  tasks: { because: 'numbers have no classes that could be divided among tasks' },
};

/** Squared differences in units of the spread, 0 where there is no number. */
function errors(g: GraphBuilder, a: TypedValue, b: TypedValue, spread = 1): TypedValue {
  const difference = g.mul(g.sub(a, b), 1 / spread);
  return g.square(g.where(g.isNaN(difference), 0, difference));
}

/** x / (1 + x) of what is not negative, the mean over a row: [B], 0 to 1. */
function bounded(g: GraphBuilder, squares: TypedValue): TypedValue {
  return rowMean(g, g.div(squares, g.add(squares, 1)));
}
