import { z } from 'zod';
import { type ClassSpace, classLabels } from '../data/labels/class-labels.ts';
import { classNames } from '../data/labels/class-name.ts';
import { classMetrics } from '../metrics/class-metrics.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { idsOf } from './class-ids.ts';
import { ONE_CLASS } from './inner/one-class.ts';
import { defineTarget } from './target.ts';

const options = z
  .object({
    labels: classNames
      .min(2)
      .optional()
      .describe(
        'The class names in the order of the outputs; data.labels, or those that rows have, when absent.',
      ),
  })
  .describe('One class a sample: a logit each, whose softmax are the probabilities.');

/** One class a sample: output float32 [batch, classes]. */
export const classTarget = defineTarget({
  kind: 'class',
  title: 'one class',
  options,
  features: 'pooled',
  truth: ({ labels }) => classLabels({ labels }),
  spaceOf: ({ labels }) => (labels ? { names: labels } : undefined),
  decide: likeliestClass,
  saying: (logits, space) =>
    `the class '${(space as ClassSpace).names[logits.indexOf(Math.max(...logits))]}'`,
  attach: (_g, _make, features, { space, scope }) =>
    features.project(scope, (space as ClassSpace).names.length),
  objective: { labels: { labels: 0.3 }, teacher: { kd: 0.7 } },
  metrics: ({ space, labels }) => classMetrics({ labels, classes: (space as ClassSpace).names.length }),
  inner: ONE_CLASS,
  example: { names: ['a', 'b'] },
  selection: 'accuracy',
  encoding: 'float16-centred',
  classes: (space) => (space as ClassSpace).names,
  config: (space) => ({ problem_type: 'single_label_classification', ...idsOf((space as ClassSpace).names) }),
});

/** The class with the largest logit of each row, int32 [rows]; -1 where the answer is none. */
function likeliestClass({ dims, data }: Tensor): Tensor {
  const [rows, classes] = dims as [number, number];
  const decided = Int32Array.from({ length: rows }, (_, row) => {
    const own = (data as Float32Array).subarray(row * classes, (row + 1) * classes);
    // Math.max of what is none is none, and nowhere.
    return own.indexOf(Math.max(...own));
  });
  return tensor('int32', [rows], decided);
}
