import { stopGradient } from '../../autodiff/stop-gradient.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { SIZE_CHANNELS } from '../box-grid.ts';
import { binaryDivergence, binaryEntropy, weighedRowMean } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';
import { positiveSum } from './positive-sum.ts';

const UNSURE = { because: 'a set of boxes has no probability of its own: boxes are matched one by one' };

/** Answers that are sizes and heat maps of centres, float32 [B, 4 + classes, rows, columns]: what is asked is asked of the maps. */
export const HEAT_MAPS: InnerKnowledge = {
  truth: 'numbers',
  /** The logits of the places that the teacher holds for centres. */
  score: (g, { answers, teacher }) => positiveSum(g, heat(g, answers), heat(g, teacher)),
  /** The class of the highest place. */
  classScores: (g, answers) => g.reduceMax(heat(g, answers), { axes: [2, 3], keepDims: false }),
  /** The mean over places, by how much the teacher sees there: nearly all of an image is empty, and surely so. */
  uncertainty(g, { answers }) {
    const logits = heat(g, answers);
    return weighedRowMean(g, binaryEntropy(g, logits), g.sigmoid(logits));
  },
  distance(g, { answers, teacher }) {
    const [own, other] = [stopGradient(g, heat(g, answers)), heat(g, teacher)];
    const seen = g.mul(g.add(g.sigmoid(own), g.sigmoid(other)), 0.5);
    return weighedRowMean(g, binaryDivergence(g, own, other), seen);
  },
  confidence: UNSURE,
  sureOfItself: false,
  judged: false,
  boundary: { because: 'every place of a map has a boundary of its own' },
  tasks: { because: 'an image has things of several tasks' },
};

function heat(g: GraphBuilder, maps: TypedValue): TypedValue {
  return g.slice(maps, 1, SIZE_CHANNELS, maps.shape[1] as number);
}
