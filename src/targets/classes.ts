import { z } from 'zod';
import { className } from '../data/labels/class-name.ts';
import { auroc } from '../metrics/auroc.ts';
import { meanAveragePrecision } from '../metrics/average-precision.ts';
import { labelsF1 } from '../metrics/labels-f1.ts';
import { type ClassesSpace, severalClassesTruth } from './several-classes-truth.ts';
import { defineTarget } from './target.ts';

const options = z
  .object({
    labels: z
      .array(className)
      .min(1)
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
  })
  .describe('Any number of classes a sample (multi-label): a logit each, whose sigmoid is its probability.');

/** Several classes a sample: output float32 [batch, classes], of which each is decided on its own. */
export const classes = defineTarget({
  kind: 'classes',
  title: 'several classes',
  options,
  features: 'pooled',
  truth: (chosen) => severalClassesTruth(chosen),
  attach: (_g, _make, features, { space, scope }) =>
    features.project(scope, (space as ClassesSpace).names.length),
  objective: { labels: { bce: 0.3 }, teacher: { bceKd: 0.7 } },
  metrics({ space, labels, weights }) {
    const measured = { labels, weights, classes: (space as ClassesSpace).names.length };
    return [
      auroc(measured),
      meanAveragePrecision(measured),
      labelsF1(measured),
      labelsF1({ ...measured, average: 'micro' }),
    ];
  },
  selection: 'macroAuroc',
  classes: (space) => (space as ClassesSpace).names,
  config: (space) => ({
    problem_type: 'multi_label_classification',
    ...idsOf((space as ClassesSpace).names),
  }),
});

/** `id2label` and `label2id`, as transformers has them. */
export function idsOf(names: readonly string[]): Record<string, unknown> {
  return {
    id2label: Object.fromEntries(names.map((name, i) => [`${i}`, name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  };
}
