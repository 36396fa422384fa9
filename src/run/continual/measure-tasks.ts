import type { Split } from '../../data/split.ts';
import { classMetrics } from '../../metrics/class-metrics.ts';
import type { AnswerGroups } from '../../objectives/answer-groups.ts';
import type { Student } from '../../students/student.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { type ParameterEvaluator, parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import { choicesFor } from './tasks.ts';

/** Accuracies of one student by task, 0 to 1. */
export interface TaskAccuracies {
  readonly test: readonly number[];
  readonly validation: readonly number[];
}

/** Samples to measure on, by task. */
type TaskSamples = Readonly<Record<keyof TaskAccuracies, readonly Split[]>>;

/** Measures a student on the validation and test samples of all tasks. */
export class TaskMeasure {
  readonly #evaluators: Readonly<Record<keyof TaskAccuracies, readonly ParameterEvaluator[]>>;
  #groups: AnswerGroups = [];

  constructor(run: RunContext, data: TaskData, student: Student, samples: TaskSamples) {
    const open = (split: Split) =>
      parameterEvaluator({
        engine: run.engine,
        student,
        split,
        batchSize: run.recipe.training.batchSize,
        outputs: [
          {
            output: 'logits',
            metrics: classMetrics({
              classes: data.dataset.labels.length,
              among: (label) => choicesFor(this.#groups, label),
            }),
          },
        ],
      });
    this.#evaluators = { test: samples.test.map(open), validation: samples.validation.map(open) };
  }

  /**
   * @param groups between which classes answers are sought
   * @param count so many tasks are measured: nothing is right in the others, whose classes are no answer yet
   */
  async measure(
    parameters: ReadonlyMap<string, Float32Array>,
    groups: AnswerGroups,
    count: number,
  ): Promise<TaskAccuracies> {
    this.#groups = groups;
    const accuracies = async (evaluators: readonly ParameterEvaluator[]) => {
      const found: number[] = [];
      for (const [task, evaluator] of evaluators.entries())
        found.push(task < count ? (await evaluator.evaluate(parameters)).accuracy : 0);
      return found;
    };
    return {
      test: await accuracies(this.#evaluators.test),
      validation: await accuracies(this.#evaluators.validation),
    };
  }

  async close(): Promise<void> {
    for (const evaluator of [...this.#evaluators.test, ...this.#evaluators.validation])
      await evaluator.close();
  }
}
