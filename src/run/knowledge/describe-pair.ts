import { prepareForGradients } from '../../autodiff/prepare.ts';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { withDeclaredTaps } from '../../onnx/anatomy/declared-taps.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph } from '../../onnx/graph.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import type { Recipe } from '../../recipe/schema.ts';

/**
 * What student and teacher are made of: as it is found, or as the recipe's `knowledge.taps` say. The teacher's names are
 * those of its graph with fused operators taken apart, which is what taps are made of.
 *
 * @throws LimbeckError `recipe.tap` as `withDeclaredTaps`
 */
export function describePair(
  { taps }: Pick<Recipe['knowledge'], 'taps'>,
  student: Graph,
  teacher: Graph,
): { student: ModelAnatomy; teacher: ModelAnatomy } {
  const describe = (graph: Graph, who: 'student' | 'teacher') =>
    withDeclaredTaps(graph, describeModel(graph), taps?.[who] ?? {}, `knowledge.taps.${who}`);
  return {
    student: describe(toEvaluationForm(student), 'student'),
    teacher: describe(prepareForGradients(teacher), 'teacher'),
  };
}
