import { stopGradient } from '../../autodiff/stop-gradient.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { classLogit, secondClass, topClass } from './class-logit.ts';
import { softmaxDivergence, softmaxEntropy } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';

/** Answers that are logits of one class a sample, float32 [B, C]. */
export const ONE_CLASS: InnerKnowledge = {
  truth: 'classes',
  score: (g, { answers, teacher }) => classLogit(g, answers, topClass(g, teacher)),
  classScores: (g, answers) => g.identity(answers),
  uncertainty: (g, { answers }) => softmaxEntropy(g, answers),
  distance: (g, { answers, teacher }) => softmaxDivergence(g, stopGradient(g, answers), teacher),
  confidence(g, { answers, truth, teacher }) {
    const probabilities = g.softmax(answers);
    const target = classOf(g, answers, truth, teacher);
    const confidence = g.squeeze(g.gatherElements(probabilities, g.unsqueeze(target, [1]), 1), [1]);
    const highest = g.reduceMax(probabilities, { axes: [1], keepDims: false });
    return { confidence, correct: g.cast(g.greaterOrEqual(confidence, highest), 'float32') };
  },
  sureOfItself: true,
  judged: true,
  boundary: {
    margin(g, { answers, teacher }) {
      const from = topClass(g, teacher);
      return g.sub(classLogit(g, answers, from), classLogit(g, answers, secondClass(g, teacher, from)));
    },
    distribution: 'softmax',
    decided: nearestTwo,
  },
  tasks: true,
};

/** The label of each row or, where there is none, the class that the teacher holds most probable: int64 [B]. */
function classOf(
  g: GraphBuilder,
  answers: TypedValue,
  truth: TypedValue | undefined,
  teacher: TypedValue | undefined,
): TypedValue {
  if (!truth) return g.argMax(teacher ?? answers);
  const labels = g.cast(truth, 'int64');
  return teacher ? g.where(g.greaterOrEqual(labels, 0), labels, g.argMax(teacher)) : g.max(labels, 0);
}

/** The class with the largest logit, and how much more probable it is than the next one. */
export function nearestTwo(logits: Float32Array): { answer: number; margin: number } {
  let [first, second] = [-1, -1];
  for (let i = 0; i < logits.length; i++) {
    if (first < 0 || (logits[i] as number) > (logits[first] as number)) [first, second] = [i, first];
    else if (second < 0 || (logits[i] as number) > (logits[second] as number)) second = i;
  }
  const top = logits[first] as number;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - top);
  return { answer: first, margin: (1 - Math.exp((logits[second] as number) - top)) / sum };
}
