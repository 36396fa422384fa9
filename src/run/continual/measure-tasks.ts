import type { Split } from '../../data/split.ts';
import type { AnswerGroups } from '../../objectives/answer-groups.ts';
import type { Student } from '../../students/student.ts';
import { type ParameterEvaluator, parameterEvaluator } from '../evaluate-parameters.ts';
import type { RunContext } from '../run-context.ts';
import type { TaskData } from '../tasks/task.ts';
import { type ClassTasks, choicesFor } from './tasks.ts';

/** Accuracies of one student by task, 0 to 1. */
export interface TaskAccuracies {
  readonly test: readonly number[];
  readonly validation: readonly number[];
}

/** Measures a student on all tasks: a pass over the validation split and one over the test split. */
export class TaskMeasure {
  readonly #tasks: ClassTasks;
  readonly #test: ParameterEvaluator;
  readonly #validation: ParameterEvaluator;
  #groups: AnswerGroups = [];

  constructor(run: RunContext, data: TaskData, student: Student, tasks: ClassTasks) {
    const { dataset, inputs } = data;
    this.#tasks = tasks;
    const open = (split: Split) =>
      parameterEvaluator({
        engine: run.engine,
        student,
        split,
        batchSize: run.recipe.training.batchSize,
        classes: dataset.labels.length,
        inputs,
        among: (label) => choicesFor(this.#groups, label),
      });
    this.#test = open(dataset.splits.test);
    this.#validation = open(dataset.splits.validation);
  }

  /** @param groups between which classes answers are sought */
  async measure(
    parameters: ReadonlyMap<string, Float32Array>,
    groups: AnswerGroups,
  ): Promise<TaskAccuracies> {
    this.#groups = groups;
    const byTask = async (evaluator: ParameterEvaluator) => {
      const counts = await evaluator.confusion(parameters);
      return this.#tasks.map((classes) => {
        const right = classes.reduce((sum, label) => sum + (counts[label]?.[label] ?? 0), 0);
        const all = classes.reduce((sum, label) => sum + (counts[label] ?? []).reduce((a, b) => a + b, 0), 0);
        return all > 0 ? right / all : 0;
      });
    };
    return { test: await byTask(this.#test), validation: await byTask(this.#validation) };
  }

  async close(): Promise<void> {
    await this.#test.close();
    await this.#validation.close();
  }
}
