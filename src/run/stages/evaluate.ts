import type { SampleBatch } from '../../data/batch.ts';
import type { Session } from '../../engine/engine.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { percent } from '../../percent.ts';
import { type Confusion, countAnswer, createConfusion } from '../../report/confusion.ts';
import { type ComparisonResult, createComparison } from '../../report/model-comparison.ts';
import type { Answer } from '../../report/report-data.ts';
import type { Gate, ModelResult } from '../../report/result.ts';
import { attributionAgreement } from '../attribution-agreement.ts';
import { int8Gate } from '../gate.ts';
import { readLogits } from '../logits.ts';
import { modelResult } from '../model-result.ts';
import { type RunContext, runStage } from '../run-context.ts';
import { readKnowledge, splitBatches } from '../sample-batches.ts';
import type { TaskData } from '../tasks/task.ts';
import { timeModels } from '../time-models.ts';
import type { Shipped } from './export.ts';
import { labelWith } from './label.ts';
import type { TrainedTeacher } from './teacher.ts';

/** What the test split said of every file that ships. */
export interface Evaluations {
  readonly teacher: ModelResult;
  readonly student: ModelResult;
  readonly studentInt8: ModelResult | null;
  readonly baseline: ModelResult | null;
  /** null when the recipe asks for no int8 file. */
  readonly gate: Gate | null;
  readonly comparison: ComparisonResult;
}

export const EVALUATION_BATCH = 64;

/**
 * Measures the files, reloaded from disk, on the test split: answers and speed. The teacher's answers are kept in the
 * store like all others. Every model is timed on the same texts, one after another.
 */
export function evaluateStage(
  run: RunContext,
  inputs: {
    readonly data: TaskData;
    readonly teacher: TrainedTeacher;
    readonly shipped: Shipped;
  },
): Promise<Evaluations> {
  const { data, teacher, shipped } = inputs;
  const { dataset, task } = data;
  return runStage(run, 'evaluate', 'Measure on the test split', async () => {
    const { test } = dataset.splits;
    const classes = dataset.labels.length;
    const { space } = await labelWith(run, task, teacher, teacher.file, {
      stage: 'evaluate',
      split: test,
      task: 'asking the teacher',
    });
    const files = { student: shipped.student, studentInt8: shipped.studentInt8, baseline: shipped.baseline };
    const sessions = new Map<string, Session>();
    try {
      for (const [name, file] of Object.entries(files)) {
        if (file) sessions.set(name, await run.engine.load(file));
      }
      const comparison = createComparison({ classes, seed: run.recipe.seed });
      const confusions = new Map(
        ['teacher', ...sessions.keys()].map((name) => [name, createConfusion(classes)]),
      );
      let done = 0;
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        run.checkInterrupted();
        const answers = new Map<string, Answer[]>();
        answers.set(
          'teacher',
          answersOf(readKnowledge(space, batch.keys, batch.rows), batch, confusions.get('teacher')!),
        );
        for (const [name, session] of sessions) {
          const { logits } = await session.run(data.inputs.feeds(batch), { logits: null });
          answers.set(name, answersOf(logits, batch, confusions.get(name)!));
        }
        for (let row = 0; row < batch.filled; row++) {
          comparison.add({
            ...test.example(batch.ordinals[row]),
            truth: batch.labels[row],
            teacher: answers.get('teacher')![row],
            student: answers.get('student')![row],
            baseline: answers.get('baseline')?.[row],
          });
        }
        done += batch.filled;
        run.emit({
          type: 'progress',
          stage: 'evaluate',
          task: 'answering',
          done,
          total: test.size,
          unit: task.unit,
        });
      }

      sessions.set('teacher', await run.engine.load(teacher.file));
      const speeds = await timeModels(run, sessions, data, test);
      const cosines = await attributionCosines(run, data, teacher.file, files);
      const result = (name: string, file: string, network?: string) =>
        modelResult({
          runFolder: run.folder.path,
          file,
          network,
          confusion: confusions.get(name)!,
          speed: speeds.get(name)!,
          attributionCosine: cosines.get(name),
        });
      const measured = {
        student: result('student', shipped.student),
        studentInt8: shipped.studentInt8 ? result('studentInt8', shipped.studentInt8, shipped.student) : null,
      };
      const value: Evaluations = {
        ...measured,
        teacher: result('teacher', teacher.file),
        gate: await int8Gate(run, data, shipped, measured),
        baseline: shipped.baseline ? result('baseline', shipped.baseline) : null,
        comparison: comparison.result(),
      };
      return { value, summary: summarize(value) };
    } finally {
      for (const session of sessions.values()) await session.release();
    }
  });
}

/** Samples on which the reasons of two models are compared: gradients cost more than answers. */
const ATTRIBUTION_SAMPLES = 512;

/** By model: how alike its reasons and the teacher's are, where the objective teaches reasons; else nothing. */
async function attributionCosines(
  run: RunContext,
  data: TaskData,
  teacherFile: string,
  { student, baseline }: Pick<Shipped, 'student' | 'baseline'>,
): Promise<Map<string, number>> {
  const cosines = new Map<string, number>();
  if (!(run.recipe.objective.attribution.weight > 0)) return cosines;
  const teacher = readModelFile(teacherFile);
  for (const [name, file] of Object.entries({ student, baseline })) {
    if (!file) continue;
    const batches = firstFeeds(run, data, ATTRIBUTION_SAMPLES);
    cosines.set(
      name,
      await attributionAgreement(run.engine, { student: readModelFile(file), teacher }, batches),
    );
  }
  return cosines;
}

/** The first test samples, as both models are fed. */
function* firstFeeds(run: RunContext, data: TaskData, most: number) {
  let count = 0;
  for (const batch of splitBatches(data.dataset.splits.test, EVALUATION_BATCH)) {
    if (count >= most) return;
    run.checkInterrupted();
    yield { feeds: data.inputs.feeds(batch), filled: batch.filled };
    count += batch.filled;
  }
}

/** Measures a student's files on the test split: answers and speed, without a teacher to compare with. */
export function evaluateStudent(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'studentInt8' | 'float32Layers'>,
): Promise<Pick<Evaluations, 'student' | 'studentInt8' | 'gate'>> {
  return runStage(run, 'evaluate', 'Measure on the test split', async () => {
    const { dataset } = data;
    const { test } = dataset.splits;
    const files = [shipped.student, shipped.studentInt8].filter((file) => file !== null);
    const sessions = new Map<string, Session>();
    try {
      for (const file of files) sessions.set(file, await run.engine.load(file));
      const confusions = new Map(files.map((file) => [file, createConfusion(dataset.labels.length)]));
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        run.checkInterrupted();
        for (const [file, session] of sessions) {
          const { logits } = await session.run(data.inputs.feeds(batch), { logits: null });
          answersOf(logits, batch, confusions.get(file)!);
        }
      }
      const speeds = await timeModels(run, sessions, data, test);
      const [student, studentInt8] = files.map((file) =>
        modelResult({
          runFolder: run.folder.path,
          file,
          network: shipped.student,
          confusion: confusions.get(file)!,
          speed: speeds.get(file)!,
        }),
      );
      const measured = { student, studentInt8: studentInt8 ?? null };
      return {
        value: { ...measured, gate: await int8Gate(run, data, shipped, measured) },
        summary: `${percent(student.accuracy)}${studentInt8 ? `, int8 ${percent(studentInt8.accuracy)}` : ''}`,
      };
    } finally {
      for (const session of sessions.values()) await session.release();
    }
  });
}

function summarize({ teacher, student, studentInt8, baseline }: Evaluations): string {
  const others = [
    `student ${percent(student.accuracy)}`,
    studentInt8 && `int8 ${percent(studentInt8.accuracy)}`,
    baseline && `baseline ${percent(baseline.accuracy)}`,
  ];
  return [`teacher ${percent(teacher.accuracy)}`, ...others.filter(Boolean)].join(', ');
}

/** The answers to a batch's samples, which all have a label in the test split; counts them on the way. */
function answersOf(logits: Tensor, batch: SampleBatch, confusion: Confusion): Answer[] {
  return Array.from(readLogits(logits, batch), ({ label, answer, confidence }) => {
    countAnswer(confusion, label, answer);
    return { label: answer, confidence };
  });
}
