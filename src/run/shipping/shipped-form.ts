import type { Graph } from '../../onnx/graph.ts';
import { foldBatchNorm } from '../../onnx/passes/fold-batch-norm.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import type { Student } from '../../students/student.ts';

/** A student as it answers: statistics frozen, and folded into the layers before them. */
export function shippedForm({ student }: { readonly student: Student }): Graph {
  return foldBatchNorm(removeDeadNodes(toEvaluationForm(student.graph)));
}
