import { groupedFromTheStart } from '../group/group-from-start.ts';
import { groupOptions } from '../group/group-options.ts';
import { defineTransform } from './transform.ts';

/**
 * Grouped convolutions in the place of standard ones (Krizhevsky, Sutskever and Hinton, 2012; with channel shuffles as in Zhang,
 * Zhou, Lin and Sun, "ShuffleNet", 2018), each group distilled from the channels of the layer that it answers for.
 */
export const group = defineTransform({
  kind: 'group',
  title: 'grouped convolutions',
  options: groupOptions,
  phases: ({ when }) => [when],
  before: groupedFromTheStart,
  epochs: ({ when, blockEpochs, epochs }) => (when === 'after' ? blockEpochs + epochs : 0),
  // As large as it is going to be; the weights are others.
  foresee: async (student, given, context) => groupedFromTheStart(student, given, context),
  async after(student, given, context) {
    // Loaded where it is used: pages do not pay for it.
    const { distilGroups } = await import('../group/distil-groups.ts');
    return distilGroups(student, given, context);
  },
});
