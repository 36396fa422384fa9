import type { Tensor } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import type { TransformContext } from '../transforms/transform.ts';
import { diagonalBlocks, layersToGroup, withGroups } from './group-convolutions.ts';
import type { GroupOptions } from './group-options.ts';

/** The student made of groups from its start: the drawn weights of each group, as large as those of a grouped layer are drawn. */
export function groupedFromTheStart(
  student: Student,
  options: GroupOptions,
  context: Pick<TransformContext, 'where'>,
): Student {
  const { groups } = options;
  const layers = layersToGroup(student, options, context);
  const contents = student.graph.initializers;
  return withGroups(student, layers, groups, ({ weight, shuffles }) =>
    diagonalBlocks(contents.get(weight) as Tensor, groups, shuffles, Math.sqrt(groups)),
  );
}
