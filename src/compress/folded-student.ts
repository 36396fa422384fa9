import type { Graph } from '../onnx/graph.ts';
import { foldBatchNorm } from '../onnx/passes/fold-batch-norm.ts';
import { withOwnWeights } from '../onnx/passes/own-weights.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { weightLayout } from '../onnx/weight-layout.ts';
import type { Student } from '../students/student.ts';
import { exitsOf } from './exits/kept-exits.ts';

/** A student's graph as it answers: statistics frozen, and folded into the layers before them. */
export function foldedGraph({ graph }: Pick<Student, 'graph'>): Graph {
  const still = removeDeadNodes(toEvaluationForm(graph));
  // An exit on a smaller image shares weights with the rest of the student, and has normalisations of its own.
  return foldBatchNorm(exitsOf(graph)?.shared ? withOwnWeights(still) : still);
}

/**
 * The same as a student that can be trained on: the parameters that are left, and the biases of layers that a normalisation
 * was folded into.
 */
export function foldedStudent(student: Student): Student {
  const graph = foldedGraph(student);
  const trained = new Set(student.parameters);
  for (const node of graph.nodes) {
    const [, weight, bias] = node.inputs;
    const dims = weight && graph.initializers.get(weight)?.dims;
    if (dims && bias && trained.has(weight.name) && weightLayout(node, dims)) trained.add(bias.name);
  }
  const parameters = [...graph.initializers.keys()]
    .map(({ name }) => name)
    .filter((name) => trained.has(name));
  return { graph, parameters };
}
