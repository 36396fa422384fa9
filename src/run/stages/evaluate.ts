import { int8Share } from '../../compress/int8-share.ts';
import { type Batch, labelsOf } from '../../data/batch.ts';
import type { Session } from '../../engine/engine.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import { type Confusion, countAnswer, createConfusion } from '../../metrics/confusion.ts';
import { weighedOptions } from '../../objectives/index.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { percent } from '../../percent.ts';
import { relative } from '../../platform/paths.ts';
import { createComparison, createStudentAnswers } from '../../report/model-comparison.ts';
import type { Answer } from '../../report/report-data.ts';
import { LABELS_ALONE, shortName } from '../../report/result.ts';
import { createTestAnswers } from '../../report/test-answers.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { readKnowledge, splitBatches } from '../batches/sample-batches.ts';
import { artifact } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { attributionAgreement } from '../measuring/attribution-agreement.ts';
import { EVALUATION_BATCH } from '../measuring/evaluation-batch.ts';
import type { Evaluations, MeasuredStudent, StudentEvaluation } from '../measuring/evaluations.ts';
import { modelResult } from '../measuring/model-result.ts';
import { fedAs, openClassifier } from '../measuring/open-classifier.ts';
import { timeModels } from '../measuring/time-models.ts';
import { planEvaluation } from '../planning/student-stages.ts';
import { int8Gate } from '../shipping/gate.ts';
import { rejectInt8 } from '../shipping/rejected-int8.ts';
import type { Shipped } from '../shipping/shipped.ts';
import { DATA } from './data.ts';
import { SHIPPED } from './export.ts';
import { labelWith } from './label.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const EVALUATIONS = artifact<Evaluations>('evaluations');

/**
 * Measures the files, reloaded from disk, on the test split: answers and speed. The teacher's answers are kept in the
 * store like all others. Every model is timed on the same texts, one after another.
 */
export const evaluateStage = stage({
  name: 'evaluate',
  about: 'reload the files, measure and time them',
  needs: { data: DATA, teacher: TEACHER, shipped: SHIPPED },
  makes: EVALUATIONS,
  title: () => 'Measure on the test split',
  async run(run, { data, teacher, shipped }) {
    const { dataset, task } = data;
    const { test } = dataset.splits;
    const classes = dataset.labels.length;
    const { space } = await labelWith(run, data, teacher, teacher.file, {
      stage: 'evaluate',
      split: test,
      task: 'asking the teacher',
    });
    const sessions = new Map<string, Session>();
    try {
      const files = comparedFiles(shipped);
      for (const [name, file] of files) sessions.set(name, await openClassifier(run.engine, file));
      const comparison = createComparison({
        classes,
        seed: run.recipe.seed,
        examples: run.recipe.report.examples,
      });
      const confusions = new Map(
        ['teacher', ...sessions.keys()].map((name) => [name, createConfusion(classes)]),
      );
      const counted = createTestAnswers('student');
      let done = 0;
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        run.checkInterrupted();
        const answers = new Map<string, Answer[]>();
        answers.set('teacher', answersOf(readKnowledge(space, batch), batch, confusions.get('teacher')!));
        for (const [name, session] of sessions) {
          const { logits } = await session.run(takenFeeds(session, batch.columns), { logits: null });
          answers.set(name, answersOf(logits, batch, confusions.get(name)!));
        }
        countRows(counted, batch, answers);
        for (let row = 0; row < batch.filled; row++) {
          comparison.add({
            example: () => test.example(batch.ordinals[row]),
            truth: labelsOf(batch)[row],
            teacher: answers.get('teacher')![row],
            student: answers.get('student')![row],
            baseline: answers.get(LABELS_ALONE.name)?.[row],
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

      sessions.set('teacher', await openClassifier(run.engine, teacher.file));
      const speeds = await timeModels(run, sessions, data, test);
      const cosines = await attributionCosines(run, data, teacher.file, files);
      const share = shareInInt8(shipped);
      const result = (name: string, file: string, network?: string) =>
        modelResult({
          runFolder: run.folder.path,
          file,
          network,
          confusion: confusions.get(name)!,
          speed: speeds.get(name)!,
          attributionCosine: cosines.get(name),
          int8Share: name === INT8 ? share : undefined,
        });
      const value: Evaluations = {
        ...(await gated(run, data, shipped, counted, {
          student: result('student', shipped.student),
          studentInt8: shipped.studentInt8 ? result(INT8, shipped.studentInt8, shipped.student) : null,
        })),
        teacher: result('teacher', teacher.file),
        overTeacher: counted.over('teacher'),
        baselines: shipped.baselines.map(({ name, title, taughtBy, file }) => ({
          name,
          title,
          taughtBy,
          result: result(name, file),
          gain: counted.over(name),
        })),
        comparison: comparison.result(),
      };
      return { value, summary: summarize(value) };
    } finally {
      for (const session of sessions.values()) await session.release();
    }
  },
  plan: planEvaluation,
});

const INT8 = 'studentInt8';

/** The share of the int8 student's multiplications that run in int8. */
function shareInInt8({ student, float32Layers }: Pick<Shipped, 'student' | 'float32Layers'>) {
  return int8Share(readModelFile(student), float32Layers);
}

/** The files that are measured beside the teacher, by name. */
function comparedFiles({ student, studentInt8, baselines }: Shipped): Map<string, string> {
  return new Map([
    ['student', student],
    ...(studentInt8 ? [[INT8, studentInt8] as const] : []),
    ...baselines.map(({ name, file }) => [name, file] as const),
  ]);
}

function countRows(
  counted: ReturnType<typeof createTestAnswers>,
  batch: Batch,
  answers: ReadonlyMap<string, readonly Answer[]>,
): void {
  for (let row = 0; row < batch.filled; row++) {
    const labels = [...answers].map(([name, rows]) => [name, rows[row].label] as const);
    counted.add(labelsOf(batch)[row], new Map(labels));
  }
}

/** Decides whether the int8 file ships, and takes it out of the folder that does where not. */
async function gated(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'float32Layers' | 'check'>,
  counted: ReturnType<typeof createTestAnswers>,
  measured: Pick<StudentEvaluation, 'student' | 'studentInt8'>,
): Promise<StudentEvaluation> {
  const { student, studentInt8 } = measured;
  const { samples, chance } = counted;
  const facts = { student, testSamples: samples, chance, shippedCheck: shipped.check };
  if (!studentInt8 || !run.recipe.export.int8) return { ...facts, studentInt8: null, gate: null };
  const gate = await int8Gate(run, data, shipped, { drop: counted.over(INT8), samples });
  if (gate.passed) return { ...facts, studentInt8, gate };
  const file = relative(run.folder.path, rejectInt8(run.folder.path));
  run.folder.keepFolder('student');
  return { ...facts, studentInt8: { ...studentInt8, file }, gate };
}

/** Samples on which the reasons of two models are compared: gradients cost more than answers. */
const ATTRIBUTION_SAMPLES = 512;

/** By model: how alike its reasons and the teacher's are, where the objective teaches reasons; else nothing. */
async function attributionCosines(
  run: RunContext,
  data: TaskData,
  teacherFile: string,
  files: ReadonlyMap<string, string>,
): Promise<Map<string, number>> {
  const cosines = new Map<string, number>();
  if (weighedOptions(run.recipe.objective, 'attribution').length === 0) return cosines;
  const teacher = readModelFile(teacherFile);
  for (const name of ['student', LABELS_ALONE.name]) {
    const file = files.get(name);
    if (!file) continue;
    const batches = firstFeeds(run, data, ATTRIBUTION_SAMPLES);
    cosines.set(
      name,
      await attributionAgreement(run.engine, { student: fedAs(data, readModelFile(file)), teacher }, batches),
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
    yield { feeds: batch.columns, filled: batch.filled };
    count += batch.filled;
  }
}

export const MEASURED_STUDENT = artifact<MeasuredStudent>('measured-student');

/** Measures a student's files on the test split: answers and speed, without a teacher to compare with. */
export const studentEvaluationStage = stage({
  name: 'evaluate',
  about: 'reload the files, measure and time them',
  needs: { data: DATA, shipped: SHIPPED },
  makes: MEASURED_STUDENT,
  title: () => 'Measure on the test split',
  async run(run, { data, shipped }) {
    const { dataset } = data;
    const { test } = dataset.splits;
    const files = comparedFiles({ ...shipped, baselines: [] });
    const sessions = new Map<string, Session>();
    try {
      for (const [name, file] of files) sessions.set(name, await openClassifier(run.engine, file));
      const confusions = new Map(
        [...files.keys()].map((name) => [name, createConfusion(dataset.labels.length)]),
      );
      const counted = createTestAnswers('student');
      const told = createStudentAnswers({
        classes: dataset.labels.length,
        seed: run.recipe.seed,
        examples: run.recipe.report.examples,
      });
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        run.checkInterrupted();
        const answers = new Map<string, Answer[]>();
        for (const [name, session] of sessions) {
          const { logits } = await session.run(takenFeeds(session, batch.columns), { logits: null });
          answers.set(name, answersOf(logits, batch, confusions.get(name)!));
        }
        countRows(counted, batch, answers);
        for (let row = 0; row < batch.filled; row++) {
          told.add({
            example: () => test.example(batch.ordinals[row]),
            truth: labelsOf(batch)[row],
            answer: answers.get('student')![row],
          });
        }
      }
      const speeds = await timeModels(run, sessions, data, test);
      const share = shareInInt8(shipped);
      const result = (name: string, file: string) =>
        modelResult({
          runFolder: run.folder.path,
          file,
          network: shipped.student,
          confusion: confusions.get(name)!,
          speed: speeds.get(name)!,
          int8Share: name === INT8 ? share : undefined,
        });
      const measured = await gated(run, data, shipped, counted, {
        student: result('student', shipped.student),
        studentInt8: shipped.studentInt8 ? result(INT8, shipped.studentInt8) : null,
      });
      const { student, studentInt8 } = measured;
      return {
        value: { ...measured, answers: told.result() },
        summary: `${percent(student.accuracy)}${studentInt8 ? `, int8 ${percent(studentInt8.accuracy)}` : ''}`,
      };
    } finally {
      for (const session of sessions.values()) await session.release();
    }
  },
  plan: planEvaluation,
});

function summarize({ teacher, student, studentInt8, baselines }: Evaluations): string {
  const others = [
    `student ${percent(student.accuracy)}`,
    studentInt8 && `int8 ${percent(studentInt8.accuracy)}`,
    ...baselines.map(({ name, result }) => `${shortName(name)} ${percent(result.accuracy)}`),
  ];
  return [`teacher ${percent(teacher.accuracy)}`, ...others.filter(Boolean)].join(', ');
}

/** The answers to a batch's samples, which all have a label in the test split; counts them on the way. */
function answersOf(logits: Tensor, batch: Batch, confusion: Confusion): Answer[] {
  return Array.from(readLogits(logits, batch), ({ label, answer, confidence }) => {
    countAnswer(confusion, label, answer);
    return { label: answer, confidence };
  });
}
