import type { Rerun } from '../objectives/objective.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';

/** A student as it stands in a step's graph. */
export interface InlinedStudent {
  /** Its own graph, with symbolic sizes. */
  readonly graph: Graph;
  readonly sizes: Readonly<Record<string, number>>;
  /** Its values here, by name. */
  readonly values: ReadonlyMap<string, TypedValue>;
  /** What stands for its inputs, parameters and running statistics. */
  readonly bound: ReadonlyMap<string, TypedValue>;
  /** Its graph at some sizes, as it is copied into a step. */
  atSizes(graph: Graph, sizes: Readonly<Record<string, number>>): Graph;
}

/** The name of the size that counts samples. */
const BATCH = 'batch';

/** Copies a student into the step again, and returns the values of the copy by name; see `ObjectiveInputs.rerun`. */
export function rerunStudent(
  g: GraphBuilder,
  student: InlinedStudent,
  replaced: ReadonlyMap<string, TypedValue>,
  { rows, form = 'training' }: Rerun = {},
): ReadonlyMap<string, TypedValue> {
  const { graph, sizes, values, bound } = student;
  const evaluation = form === 'evaluation' ? toEvaluationForm(graph) : graph;
  const isPart = rows !== undefined && rows !== sizes[BATCH];
  if (replaced.size === 0 && !isPart && isSame(graph, evaluation)) return values;
  const copied = student.atSizes(evaluation, isPart ? { ...sizes, [BATCH]: rows } : sizes);
  const inputs = graph.inputs.flatMap(({ name, shape }) => {
    const value = bound.get(name);
    const isBatched = isPart && shape?.[0] === BATCH && value && !replaced.has(name);
    return isBatched ? [[name, g.slice(value, 0, 0, rows)] as const] : [];
  });
  return g.inline(copied, new Map([...bound, ...inputs, ...replaced]), 'rerun');
}

/** Whether a student has nothing that training and evaluation do in different ways. */
function isSame(a: Graph, b: Graph): boolean {
  return a.nodes.length === b.nodes.length && a.nodes.every((node, i) => node === b.nodes[i]);
}
