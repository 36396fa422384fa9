import type { ObjectiveInputs } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * What a step tells of each row for `SampleDynamics`, float32 [batch]: `confidence`, the probability that the student
 * gives to the row's class, and `correct`, 1 where no class has a higher one. The class is the label or, without one,
 * the teacher's answer; `teacher` says whether there is one.
 *
 * They are of the forward pass that the step makes anyway, before its update: with hidden tokens, batch statistics and
 * the row's view of this epoch.
 */
export function observeAnswers(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  { classes, teacher }: { readonly classes: number; readonly teacher: boolean },
): ReadonlyMap<string, TypedValue> {
  const probabilities = g.softmax(inputs.student('logits'));
  const labels = g.cast(inputs.labels(), 'int64');
  const target = teacher
    ? g.where(g.greaterOrEqual(labels, 0), labels, g.argMax(inputs.knowledge('logits', [classes])))
    : g.max(labels, 0);
  const confidence = g.squeeze(g.gatherElements(probabilities, g.unsqueeze(target, [1]), 1), [1]);
  const highest = g.reduceMax(probabilities, { axes: [1], keepDims: false });
  return new Map([
    ['confidence', confidence],
    ['correct', g.cast(g.greaterOrEqual(confidence, highest), 'float32')],
  ]);
}
