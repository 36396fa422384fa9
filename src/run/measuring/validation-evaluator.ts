import type { Student } from '../../students/student.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { type ParameterEvaluator, parameterEvaluator } from './evaluate-parameters.ts';

/** Evaluates parameters of a run's student on the validation split, by all metrics of all outputs. */
export function validationEvaluator(
  { engine, recipe }: Pick<RunContext, 'engine' | 'recipe'>,
  { dataset, heads }: Pick<TaskData, 'dataset' | 'heads'>,
  student: Student,
): ParameterEvaluator {
  return parameterEvaluator({
    engine,
    student,
    split: dataset.splits.validation,
    batchSize: recipe.training.batchSize,
    outputs: heads,
  });
}
