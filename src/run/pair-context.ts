import { prepareForGradients } from '../autodiff/prepare.ts';
import { LimbeckError } from '../errors.ts';
import type { ObjectiveContext, PairContext } from '../objectives/objective.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { type LayerMap, lastLayers, uniformLayers } from '../onnx/anatomy/layer-map.ts';
import { readModelFile } from '../onnx/node-files.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import type { RunContext } from './run-context.ts';
import type { TrainedTeacher } from './stages/teacher.ts';
import type { TaskData } from './tasks/task.ts';

/** What the losses of a run may look into: student, teacher, and which layer teaches which. */
export function objectiveContext(
  run: Pick<RunContext, 'recipe'>,
  data: TaskData,
  teacher: TrainedTeacher,
): ObjectiveContext {
  const student = describeModel(toEvaluationForm(data.buildStudent().graph));
  const anatomy = describeModel(prepareForGradients(readModelFile(teacher.file)));
  const layers = layerMap(run.recipe.knowledge.layers, student, anatomy);
  return { classes: data.dataset.labels.length, models: { student, teacher: anatomy, layers } };
}

/**
 * The layer map that a recipe asks for. `graph` begins as the uniform one, which the knowledge graph then replaces.
 *
 * @throws LimbeckError `recipe.invalid` for a layer that is not there
 */
export function layerMap(
  wanted: RunContext['recipe']['knowledge']['layers'],
  student: ModelAnatomy,
  teacher: ModelAnatomy,
): PairContext['layers'] {
  const [own, other] = [student.layers.length, teacher.layers.length];
  if (own === 0 || other === 0) return [];
  if (wanted === 'last') return lastLayers(own, other);
  if (wanted === 'uniform' || wanted === 'graph') return uniformLayers(own, other);
  return wanted.map(([from, to], index): LayerMap[number] => {
    const wrong = from >= own ? { who: 'student', layer: from, anatomy: student } : undefined;
    const missing = wrong ?? (to >= other ? { who: 'teacher', layer: to, anatomy: teacher } : undefined);
    if (!missing) return { student: from, teacher: to, weight: 1 };
    const { who, layer, anatomy } = missing;
    const names = anatomy.layers.map(({ name }, i) => `${i} ${name}`).join(', ');
    throw new LimbeckError('recipe.invalid', `the ${who} has no layer ${layer}`, {
      where: `knowledge.layers[${index}]; its layers are ${names}`,
      remedy: 'Name layers that are there, counted from 0.',
    });
  });
}
