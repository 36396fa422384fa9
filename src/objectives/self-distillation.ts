import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type AnswerGroups, columns } from './answer-groups.ts';
import { kdLogits } from './kd-logits.ts';
import type { ObjectiveTerm, RowLosses } from './objective.ts';
import { newRows, PAST } from './replay.ts';

/**
 * Distillation in each group of classes by itself, summed over the groups: float32 [B].
 *
 * @param inputs.weights float32 [B]: how much each row counts
 */
export function groupedKd(
  g: GraphBuilder,
  inputs: {
    student: TypedValue;
    teacher: TypedValue;
    weights: TypedValue;
    temperature: number;
    groups: AnswerGroups;
  },
): RowLosses {
  const { student, teacher, weights, temperature, groups } = inputs;
  const values = groups.map(
    (group) =>
      kdLogits(g, {
        student: columns(g, student, group),
        teacher: columns(g, teacher, group),
        rowWeights: weights,
        temperature,
      }).values,
  );
  return { values: values.reduce((sum, value) => g.add(sum, value)), weights };
}

/**
 * What the student of the task before said of the new samples, over the classes of earlier tasks: it keeps answering as it
 * did. With a group for each task this is the sum over the old tasks of the paper.
 *
 * Li and Hoiem, "Learning without Forgetting" (2016), section 3 and equation 2; as the KL divergence, which differs by
 * the entropy of the past answers.
 *
 * @param options.groups of the earlier tasks alone
 */
export function selfDistillationTerm(options: {
  weight: number;
  temperature: number;
  groups: AnswerGroups;
}): ObjectiveTerm {
  return {
    name: 'self',
    weight: options.weight,
    build(g, inputs) {
      const student = inputs.student('logits');
      return groupedKd(g, {
        ...options,
        student,
        teacher: inputs.knowledge(PAST, [student.shape[1] as number]),
        weights: newRows(g, inputs),
      });
    },
  };
}

/** What a teacher that knows all tasks says of new and kept samples, over the classes that were taught by now. */
export function taskTeacherTerm(options: {
  weight: number;
  temperature: number;
  groups: AnswerGroups;
}): ObjectiveTerm {
  return {
    name: 'teacher',
    weight: options.weight,
    build(g, inputs) {
      const student = inputs.student('logits');
      return groupedKd(g, {
        ...options,
        student,
        teacher: inputs.knowledge('logits', [student.shape[1] as number]),
        weights: inputs.rowWeights(),
      });
    },
  };
}
