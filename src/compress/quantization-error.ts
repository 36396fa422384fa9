import { stopGradient } from '../autodiff/stop-gradient.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import type { RoundedValue } from './fake-quantize.ts';

/** Beside the mean square of what is rounded: values of nothing have no error. */
const TINY = 1e-12;

/**
 * How far weights and activations lie from what they are rounded to, as a term of the loss: the mean over all of them of
 * sum (x - q(x))^2 / sum x^2, the rounded values and the sizes as constants. Its gradient draws values to the levels next to
 * them, and those beyond a range back into it (compare the bin regularisation of Han et al., "Improving Low-Precision Network
 * Quantization via Bin Regularization", 2021).
 */
export function quantizationError(rounded: readonly RoundedValue[], weight: number): ObjectiveTerm {
  return {
    name: 'quantisation',
    weight,
    build(g, inputs) {
      const errors = rounded.map(({ exact, rounded: nearest }) => {
        const x = inputs.student(exact);
        const off = g.sub(x, stopGradient(g, inputs.student(nearest)));
        const size = stopGradient(g, g.reduceSumSquare(x, { keepDims: false }));
        return g.div(g.reduceSumSquare(off, { keepDims: false }), g.add(size, TINY));
      });
      const sum = errors.reduce((all, error) => g.add(all, error));
      return g.div(sum, errors.length);
    },
  };
}
