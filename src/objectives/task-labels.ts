import { type AnswerGroups, amongGroup } from './answer-groups.ts';
import { crossEntropy } from './cross-entropy.ts';
import type { ObjectiveTerm } from './objective.ts';
import { newRows } from './replay.ts';

/** Cross-entropy of the new task's rows with their labels, among the classes that compete with them. */
export function taskLabelsTerm({ groups }: { groups: AnswerGroups }): ObjectiveTerm {
  return {
    name: 'labels',
    weight: 1,
    build(g, inputs) {
      const labels = inputs.labels();
      return crossEntropy(g, {
        logits: amongGroup(g, { logits: inputs.student('logits'), labels, groups }),
        labels,
        rowWeights: newRows(g, inputs),
      });
    },
  };
}
