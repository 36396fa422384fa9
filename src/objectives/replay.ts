import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type AnswerGroups, amongGroup, rowOfLabel } from './answer-groups.ts';
import { crossEntropy } from './cross-entropy.ts';
import type { ObjectiveInputs, ObjectiveTerm } from './objective.ts';

/** The input of a step that says which rows come from the memory: float32 [batch], 1 for those. */
export const REPLAYED = 'replayed';

/** What the student of an earlier task said: `knowledge/past`, float32 [batch, classes]. */
export const PAST = 'past';

/** float32 [batch]: 1 for the rows of the new task. */
export function newRows(g: GraphBuilder, inputs: ObjectiveInputs): TypedValue {
  return g.sub(inputs.rowWeights(), replayedRows(inputs));
}

/** float32 [batch]: 1 for the rows that come from the memory. */
export function replayedRows(inputs: ObjectiveInputs): TypedValue {
  const [rows] = inputs.rowWeights().shape as [number];
  return inputs.input(REPLAYED, 'float32', [rows]);
}

/**
 * Cross-entropy of the kept samples with their labels, among the classes that compete with them by now.
 *
 * Buzzega et al., "Dark Experience for General Continual Learning" (2020), equation 6, the last term (DER++).
 */
export function replayLabelsTerm({
  weight,
  groups,
}: {
  weight: number;
  groups: AnswerGroups;
}): ObjectiveTerm {
  return {
    name: 'replay-labels',
    weight,
    build(g, inputs) {
      const labels = inputs.labels();
      return crossEntropy(g, {
        logits: amongGroup(g, { logits: inputs.student('logits'), labels, groups }),
        labels,
        rowWeights: replayedRows(inputs),
      });
    },
  };
}

/**
 * The squared difference between the student's logits for a kept sample and those that the student of its time had, as
 * the mean over the classes that had been taught by then: the logits of later classes said nothing yet.
 *
 * Buzzega et al., "Dark Experience for General Continual Learning" (2020), equation 6, the middle term. There both
 * replay terms draw batches of their own, logits are kept while a task is learnt, and all classes count.
 *
 * @param options.tasks the classes of each task, in the order in which they are taught
 */
export function replayLogitsTerm({
  weight,
  tasks,
}: {
  weight: number;
  tasks: readonly (readonly number[])[];
}): ObjectiveTerm {
  return {
    name: 'replay-logits',
    weight,
    build(g, inputs) {
      const logits = inputs.student('logits');
      const classes = logits.shape[1] as number;
      const difference = g.sub(logits, inputs.knowledge(PAST, [classes]));
      const shares = rowOfLabel(g, sharesOfKnown(tasks, classes), classes, inputs.labels());
      const values = g.reduceSum(g.mul(g.square(difference), shares), { axes: [1], keepDims: false });
      return { values, weights: replayedRows(inputs) };
    },
  };
}

/** For each label the share of each class in the mean: 1 / n for the n classes taught up to the label's task. */
function sharesOfKnown(tasks: readonly (readonly number[])[], classes: number): Float32Array {
  const table = new Float32Array(classes * classes);
  for (const [task, own] of tasks.entries()) {
    const known = tasks.slice(0, task + 1).flat();
    for (const label of own) for (const other of known) table[label * classes + other] = 1 / known.length;
  }
  return table;
}
