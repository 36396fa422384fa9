import { type SamplePlace, samplesAt } from '../../data/batches/chosen-samples.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { ewcTerm } from '../../objectives/ewc.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import { replayLabelsTerm, replayLogitsTerm } from '../../objectives/replay.ts';
import { selfDistillationTerm, taskTeacherTerm } from '../../objectives/self-distillation.ts';
import { taskLabelsTerm } from '../../objectives/task-labels.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { TrainingData } from '../context/task.ts';
import type { ContinualRun } from './continual-run.ts';
import { type KeptSample, keptAfter } from './memory.ts';
import type { Remedy } from './methods.ts';
import { askPastStudent, writePastStudent } from './past-student.ts';
import { fisherDiagonal, Springs } from './springs.ts';
import { taskBatches } from './task-batches.ts';
import { answerGroups } from './tasks.ts';
import type { Parameters } from './train-task.ts';

/** What one method keeps of the tasks behind it, and what it makes of it in the next one's training. */
export class Past {
  readonly #of: ContinualRun;
  readonly #method: string;
  readonly #remedies: readonly Remedy[];
  readonly #springs: Springs;
  /** What the student of the last task said of the next task's samples. */
  #answers: LabelSpace | undefined;
  #kept: readonly KeptSample[] = [];

  constructor(of: ContinualRun, method: string, remedies: readonly Remedy[]) {
    this.#of = of;
    this.#method = method;
    this.#remedies = remedies;
    this.#springs = new Springs(of.student);
  }

  /** What a task is trained with: its losses, what they are fed, and its batches. */
  lessons(task: number): {
    terms: ObjectiveTerm[];
    settings: Record<string, Tensor>;
    training: TrainingData;
  } {
    const { run, data, options, samples, teacher } = this.#of;
    const { batchSize } = run.recipe.training;
    const asksTeacher = this.#has('teacher');
    return {
      terms: this.#terms(task).filter(({ weight }) => weight > 0),
      settings: this.#springs.feeds(),
      training: taskBatches({
        split: data.dataset.splits.labelled,
        samples: samples.train[task],
        classes: data.dataset.labels.length,
        batchSize,
        epochs: options.epochs,
        task,
        seed: run.recipe.seed,
        memory:
          this.#kept.length > 0 ? { kept: this.#kept, rows: options.replay.batch ?? batchSize } : undefined,
        past: this.#answers,
        teacher: asksTeacher ? teacher : undefined,
      }),
    };
  }

  /** Looks back at a task that has been learnt, before the next one begins. */
  async remember(task: number, parameters: Parameters): Promise<void> {
    const { run, data, student, options, samples, tasks } = this.#of;
    if (this.#has('ewc')) {
      const fisher = await fisherDiagonal({
        engine: run.engine,
        student,
        parameters,
        samples: samples.train[task],
        classes: data.dataset.labels.length,
        groups: answerGroups(options.setting, tasks.slice(0, task + 1)),
        count: options.ewc.samples,
        seed: run.recipe.seed + task,
      });
      this.#springs.add(fisher, parameters);
    }
    if (!this.#has('self') && !this.#has('replay')) return;
    const file = run.folder.file('past', this.#method, `task-${task + 1}.onnx`);
    const title = `${run.recipe.name}, ${this.#method}, after task ${task + 1}`;
    writePastStudent(file, student, parameters);
    if (this.#has('self')) {
      this.#answers = await askPastStudent(run, data, { file, title, split: samples.train[task + 1] });
    }
    if (this.#has('replay')) await this.#keep(task, { file, title });
  }

  #has(remedy: Remedy): boolean {
    return this.#remedies.includes(remedy);
  }

  #terms(task: number): ObjectiveTerm[] {
    const { options, tasks, student } = this.#of;
    const { setting, self, ewc, replay, teacher } = options;
    const taught = tasks.slice(0, task + 1);
    const groups = answerGroups(setting, taught);
    const terms = [taskLabelsTerm({ groups })];
    if (this.#has('teacher')) terms.push(taskTeacherTerm({ ...teacher, groups }));
    if (task === 0) return terms;
    if (this.#has('self')) {
      terms.push(selfDistillationTerm({ ...self, groups: answerGroups(setting, tasks.slice(0, task)) }));
    }
    if (this.#has('ewc')) terms.push(ewcTerm({ weight: ewc.lambda, parameters: student.parameters }));
    if (this.#has('replay')) {
      terms.push(replayLabelsTerm({ weight: replay.labels, groups }));
      terms.push(replayLogitsTerm({ weight: replay.logits, tasks: taught }));
    }
    return terms;
  }

  /** Lets a task's samples pass by the reservoir, and keeps the student's answers to those that stay. */
  async #keep(task: number, student: { file: string; title: string }): Promise<void> {
    const { run, data, options, samples } = this.#of;
    const { labelled } = data.dataset.splits;
    const places = keptAfter(samples.train.slice(0, task + 1), {
      capacity: options.replay.memory,
      seed: run.recipe.seed,
    });
    const fresh = places.filter((place) => place.task === task);
    const space = await askPastStudent(run, data, { ...student, split: samplesAt(labelled, fresh) });
    const before = new Map(this.#kept.map((sample) => [nameOf(sample), sample]));
    this.#kept = places.map((place) => {
      const known = before.get(nameOf(place));
      if (known) return known;
      const logits = new Float32Array(data.dataset.labels.length);
      space.read(labelled.readBatch(place.bucket, [place.index], 1).keys, logits);
      return { ...place, logits };
    });
  }
}

function nameOf({ bucket, index }: SamplePlace): string {
  return `${bucket}/${index}`;
}
