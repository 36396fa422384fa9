import {
  askedOf,
  type InnerOutput,
  innerOutput,
  readingOf,
  teacherSaid,
  truthOf,
} from '../objectives/inner-output.ts';
import type { ObjectiveInputs } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * What a step tells of each row for `SampleDynamics`, float32 [batch]: `confidence`, how sure the student is of what is true
 * of it (of a class: the probability that it gives to the row's class), and `correct`, 1 where its answer is right, where
 * answers are right or wrong. What is true is the label or, without one, the teacher's answer; `teacher` says whether there
 * is one.
 *
 * They are of the forward pass that the step makes anyway, before its update: with hidden tokens, batch statistics and
 * the row's view of this epoch.
 */
export function observeAnswers(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  {
    about = innerOutput(undefined, {}),
    teacher,
  }: { readonly about?: InnerOutput; readonly teacher: boolean },
): ReadonlyMap<string, TypedValue> {
  const judge = askedOf(about, 'confidence', 'training.dynamics');
  const answers = inputs.student(about.output);
  const { confidence, correct } = judge(g, {
    answers,
    truth: truthOf(inputs, about),
    teacher: teacher ? teacherSaid(inputs, about.output) : undefined,
    ...readingOf(g, answers, about, { has: inputs.has, value: inputs.student }),
  });
  return new Map([['confidence', confidence], ...(correct ? [['correct', correct] as const] : [])]);
}
