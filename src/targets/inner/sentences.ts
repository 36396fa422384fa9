import { softmaxEntropy, weighedRowMean } from './distributions.ts';
import type { InnerKnowledge } from './inner-knowledge.ts';
import { CLASSES_OF_PLACES } from './places.ts';

/** Answers that are logits of the words of a sentence, zeros behind its end: as classes of places. */
export const SENTENCES: InnerKnowledge = {
  ...CLASSES_OF_PLACES,
  /** Over the words of the true sentence: behind its end nothing is asked. */
  uncertainty(g, { answers, truth }) {
    const entropy = softmaxEntropy(g, answers);
    const labels = truth && g.cast(truth, 'int64');
    return weighedRowMean(
      g,
      entropy,
      labels ? g.cast(g.greaterOrEqual(labels, 0), 'float32') : g.add(g.mul(entropy, 0), 1),
    );
  },
  sureOfItself: false,
};
