import { foldedGraph } from '../../compress/folded-student.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Student } from '../../students/student.ts';

/** A student as it answers: statistics frozen, and folded into the layers before them. */
export function shippedForm({ student }: { readonly student: Student }): Graph {
  return foldedGraph(student);
}
