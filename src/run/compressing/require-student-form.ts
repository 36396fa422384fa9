import { duringTraining, foreseeTransforms } from '../../compress/transforms/apply-transforms.ts';
import { LimbeckError } from '../../errors.ts';
import { ShapeError } from '../../onnx/shape-inference/rule.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Student } from '../../students/student.ts';
import type { TaskData } from '../context/task.ts';
import { transformsOf } from './transforms-of.ts';

/**
 * Looks whether a recipe's student can be built and whether its transforms fit it, as soon as there are data: a teacher that is trained
 * or asked first would have cost its time for nothing.
 *
 * @throws LimbeckError `recipe.invalid` for sizes that the student cannot have, `compress.invalid` for a transform that does not fit
 */
export async function requireStudentForm(
  recipe: Recipe,
  data: Pick<TaskData, 'buildStudent' | 'heads'>,
): Promise<void> {
  const built = builtStudent(recipe, data);
  if (!recipe.compress) return;
  const list = transformsOf(recipe, data.heads);
  const { student, finish } = duringTraining(built, list);
  await foreseeTransforms(finish(student), list);
}

function builtStudent({ student }: Recipe, data: Pick<TaskData, 'buildStudent'>): Student {
  try {
    return data.buildStudent();
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new LimbeckError('recipe.invalid', `the student cannot have these sizes: ${cause.message}`, {
      where: `student, of kind: ${student.kind}`,
      remedy: `Change its sizes, or those of its inputs (inputs.NAME); \`limbeck schema\` prints the keys of ${student.kind}.`,
      cause,
    });
  }
}
