import { gradients } from '../autodiff/gradients.ts';
import { type AnswerGroups, amongGroup } from '../objectives/answer-groups.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import type { Student } from '../students/student.ts';
import { bufferNames, inlineWithParameters } from './step-graph.ts';

/** Input of a Fisher graph: float32 [1, classes], drawn from the standard Gumbel distribution. */
export const GUMBEL = 'gumbel';

/** The output of a Fisher graph that belongs to a parameter. */
export const fisherOutput = (parameter: string) => `fisher/${parameter}`;

/**
 * A model that squares the gradient of log p(y | x) for one sample x, parameter by parameter (`fisher/PARAMETER`): its
 * mean over samples is the diagonal of the Fisher information. y is drawn from what the student itself says of x: the
 * largest of logits plus Gumbel noise is distributed as the softmax (Gumbel, 1954), so the noise comes as an input and
 * the graph stays a function.
 *
 * Samples come one at a time (`sizes.batch` is 1), for the square of a sum is not the sum of squares; the student is in
 * its evaluation form, so that batch normalisations do not need a batch.
 *
 * Inputs: the parameters and running statistics, the student's inputs, `labels` int32 [1], which say among which classes
 * the answer is sought, and `gumbel`.
 */
export function compileFisher(
  student: Student,
  sizes: Readonly<Record<string, number>>,
  groups: AnswerGroups,
): Graph {
  const g = new GraphBuilder(student.graph.opsets.get(''));
  const names = [...student.parameters, ...bufferNames(student)];
  const form = { graph: toEvaluationForm(student.graph), parameters: names };
  const { values, parameters: given } = inlineWithParameters(g, form, sizes, 'student');
  const parameters = given.slice(0, student.parameters.length);
  const logits = values.get('logits') as TypedValue;
  const labels = g.input('labels', 'int32', [1]);
  const noise = g.input(GUMBEL, 'float32', logits.shape);
  const among = amongGroup(g, { logits, labels, groups });
  const drawn = g.unsqueeze(g.argMax(g.add(among, noise)), [1]);
  const likelihood = g.gatherElements(g.logSoftmax(among), drawn, 1);
  const found = gradients(g, g.reduceSum(likelihood, { keepDims: false }), parameters);
  parameters.forEach((parameter, i) => {
    const gradient = found[i] ?? g.mul(parameter, 0);
    g.output(g.square(gradient), fisherOutput(parameter.name));
  });
  return nameOutputs(removeDeadNodes(removeIdentities(g.build('fisher'))));
}
