import { z } from 'zod';
import { classNames } from '../data/labels/class-name.ts';
import { auroc } from '../metrics/auroc.ts';
import { meanAveragePrecision } from '../metrics/average-precision.ts';
import { chooseThreshold } from '../metrics/class-thresholds.ts';
import { LabelScores } from '../metrics/label-scores.ts';
import { labelsF1 } from '../metrics/labels-f1.ts';
import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { idsOf } from './class-ids.ts';
import { classRates } from './class-rates.ts';
import { SEVERAL_CLASSES } from './inner/several-classes.ts';
import { placesOf, pooledLogits } from './pooled-logits.ts';
import { type ClassesSpace, severalClassesTruth } from './several-classes-truth.ts';
import { defineTarget } from './target.ts';

const options = z
  .object({
    labels: classNames
      .optional()
      .describe('The classes in the order of the outputs; those that rows have when absent.'),
    separator: z
      .string()
      .min(1)
      .default('|')
      .describe('Between the classes of a text, where they are no list.'),
    empty: z
      .enum(['unknown', 'none'])
      .default('unknown')
      .describe('An empty text: nobody knows the classes of the row, or it has none.'),
    pooling: z
      .enum(['mean', 'logSumExp'])
      .default('mean')
      .describe(
        "How the places of an image become one answer: by the student's pooled features, or by a logit for each place, of which the highest count most (for small things in a large image).",
      ),
  })
  .describe('Any number of classes a sample (multi-label): a logit each, whose sigmoid is its probability.');

/** Several classes a sample: output float32 [batch, classes], of which each is decided on its own. */
export const classes = defineTarget({
  kind: 'classes',
  title: 'several classes',
  options,
  features: 'pooled',
  asksAlso: ({ pooling }) => (pooling === 'logSumExp' ? { features: 'map', option: 'pooling' } : undefined),
  truth: (chosen) => severalClassesTruth(chosen),
  spaceOf: ({ labels }) => (labels ? { names: labels } : undefined),
  decide: likelierThanNot,
  saying(logits, space) {
    const yes = (space as ClassesSpace).names.filter((_, k) => (logits[k] as number) > 0);
    return yes.length > 0
      ? `the classes ${yes.map((name) => `'${name}'`).join(', ')}`
      : 'none of the classes';
  },
  prior: ({ space, labels, weights }) =>
    classRates((space as ClassesSpace).names.length, { labels, weights }),
  attach(g, _make, features, { space, scope, output, prior, options: { pooling } }) {
    const { length } = (space as ClassesSpace).names;
    const logits =
      pooling === 'mean'
        ? features.project(scope, length)
        : pooledLogits(g, placesOf(features, output).project(scope, length));
    return prior ? g.add(logits, g.constant(float32(prior, [1, prior.length]))) : logits;
  },
  objective: { labels: { bce: 0.3 }, teacher: { bceKd: 0.7 } },
  tune({ space, labels, weights }) {
    const { length } = (space as ClassesSpace).names;
    const scores = new LabelScores(length);
    return {
      add: (answers, batch) => scores.add(answers, batch, { labels, weights }),
      result: () =>
        Array.from({ length }, (_, k) => {
          const own = scores.ofClass(k);
          return chooseThreshold(own.scores, own.truth, 0).threshold;
        }),
    };
  },
  metrics({ space, labels, weights, tuned }) {
    const measured = { labels, weights, classes: (space as ClassesSpace).names.length };
    return [
      auroc(measured),
      meanAveragePrecision(measured),
      labelsF1({ ...measured, thresholds: tuned }),
      labelsF1({ ...measured, thresholds: tuned, average: 'micro' }),
    ];
  },
  inner: SEVERAL_CLASSES,
  example: { names: ['a', 'b'] },
  selection: 'macroAuroc',
  encoding: 'float16',
  classes: (space) => (space as ClassesSpace).names,
  config: (space, _options, tuned) => ({
    problem_type: 'multi_label_classification',
    ...idsOf((space as ClassesSpace).names),
    // Of logits: transformers' pipelines know one threshold for all.
    ...(tuned && { thresholds: [...tuned] }),
  }),
});

/** 1 for the classes whose logit is above 0, else 0, float32 [rows, classes]; -1 where the answer is none. */
function likelierThanNot({ dims, data }: Tensor): Tensor {
  const decided = Float32Array.from(data as Float32Array, (logit) =>
    Number.isNaN(logit) ? -1 : logit > 0 ? 1 : 0,
  );
  return tensor('float32', dims, decided);
}
