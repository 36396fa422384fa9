import { z } from 'zod';
import { classNames } from '../data/labels/class-name.ts';
import { LimbeckError } from '../errors.ts';
import { spansF1 } from '../metrics/span-f1.ts';
import { tokenAccuracy } from '../metrics/token-accuracy.ts';
import { idsOf } from './class-ids.ts';
import { CLASSES_OF_PLACES } from './inner/places.ts';
import { oneClassOf } from './one-class-of.ts';
import { defineTarget } from './target.ts';
import { type TagSpace, tagNames, tokenTagsTruth } from './token-tags-truth.ts';

const options = z
  .object({
    labels: classNames
      .optional()
      .describe(
        'The kinds of spans (PER, LOC) in the order of the outputs; those that rows have when absent.',
      ),
  })
  .describe('A tag for each token: spans of a text with a kind each, as BIO.');

/** A class for each token: output float32 [batch, sequence, tags], tags being `O` and, for each kind, `B-KIND` and `I-KIND`. */
export const tokenClasses = defineTarget({
  kind: 'token-classes',
  title: 'spans of a text',
  options,
  features: 'tokens',
  truth(chosen, { tokenizer }) {
    if (tokenizer) return tokenTagsTruth(chosen, tokenizer);
    throw new LimbeckError('recipe.invalid', 'tokens have classes where there is a text', {
      where: 'outputs, target: token-classes',
      remedy: 'Give the recipe an input of texts.',
    });
  },
  attach: (_g, _make, features, { space, scope }) =>
    features.project(scope, tagNames(space as TagSpace).length),
  saying: (logits, space) => {
    const tag = oneClassOf(logits, tagNames(space as TagSpace));
    return tag === 'O' ? 'no spans' : undefined;
  },
  objective: { labels: { tokenLabels: 0.3 }, teacher: { tokenKd: 0.7 } },
  metrics: ({ space, labels, weights }) => [
    spansF1({ labels, weights, tags: tagNames(space as TagSpace) }),
    tokenAccuracy({ labels }),
  ],
  inner: CLASSES_OF_PLACES,
  example: { kinds: ['a'] },
  selection: 'spanF1',
  encoding: 'float16-centred',
  classes: (space) => tagNames(space as TagSpace),
  config: (space) => idsOf(tagNames(space as TagSpace)),
});
