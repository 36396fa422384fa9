import { int8Share } from '../../compress/int8-share.ts';
import type { Batch } from '../../data/batch.ts';
import type { Session } from '../../engine/engine.ts';
import { modelBytes } from '../../export/package-folder.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import type { Difference } from '../../metrics/interval.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { parameterCount } from '../../onnx/parameter-count.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { relative } from '../../platform/paths.ts';
import type { AnswersModel, AnswersResult, Gain } from '../../report/answers-result.ts';
import { sectionOf } from '../../report/targets/index.ts';
import type { Section, SectionCollector, Speaker } from '../../report/targets/section.ts';
import type { Head } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { artifact, optional } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { mainMetric } from '../heads/head-metrics.ts';
import { HeadsMeasuring } from '../heads/measure-heads.ts';
import { tuneHeads } from '../heads/tune-heads.ts';
import { EVALUATION_BATCH } from '../measuring/evaluation-batch.ts';
import type { Speed } from '../measuring/measure-speed.ts';
import { openClassifier } from '../measuring/open-classifier.ts';
import { timeModels } from '../measuring/time-models.ts';
import { planEvaluation } from '../planning/student-stages.ts';
import { int8Gate } from '../shipping/gate.ts';
import { rejectInt8 } from '../shipping/rejected-int8.ts';
import type { Shipped } from '../shipping/shipped.ts';
import { HostedMeasuring, hostedResult } from '../teaching/hosted-measuring.ts';
import { DATA } from './data.ts';
import { SHIPPED } from './export.ts';
import { labelWith } from './label.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

/** What the test split said of every file, whatever its outputs are. */
export interface AnswersEvaluation
  extends Pick<
    AnswersResult,
    | 'student'
    | 'studentInt8'
    | 'teacher'
    | 'hostedTeacher'
    | 'baselines'
    | 'overTeacher'
    | 'gate'
    | 'testSamples'
    | 'shippedCheck'
  > {
  /** What the report shows of each output, by its name. */
  readonly sections: ReadonlyMap<string, Section>;
}

export const ANSWERS_EVALUATION = artifact<AnswersEvaluation>('answers-evaluation');

const STUDENT = 'student';
const INT8 = 'studentInt8';
const TEACHER_NAME = 'teacher';

/** A model that is measured: its session, its heads as it is read, what it answered. */
interface Measured {
  readonly session: Session;
  readonly heads: readonly Head[];
  readonly measuring: HeadsMeasuring;
}

/** Measures the files, reloaded from disk, on the test split: every metric of every output, and speed. */
export const answersEvaluateStage = stage({
  name: 'evaluate',
  about: 'reload the files, measure and time them',
  needs: { data: DATA, shipped: SHIPPED, teacher: optional(TEACHER) },
  makes: ANSWERS_EVALUATION,
  title: () => 'Measure on the test split',
  async run(run, { data, shipped, teacher }) {
    const { task, dataset, heads } = data;
    const { test } = dataset.splits;
    const files = new Map([
      ...(teacher && !teacher.hosted ? [[TEACHER_NAME, teacher.file] as const] : []),
      [STUDENT, shipped.student] as const,
      ...(shipped.studentInt8 ? [[INT8, shipped.studentInt8] as const] : []),
      ...shipped.baselines.map(({ name, file }) => [name, file] as const),
    ]);
    if (data.taughtTruth && teacher) {
      const how = { stage: 'evaluate', split: test, task: 'asking the teacher' } as const;
      data.taughtTruth.tell('test', (await labelWith(run, data, teacher, teacher.file, how)).answers);
    }
    const compared =
      teacher?.hosted && !data.taughtTruth && teacher.hosted.choice.compare
        ? (
            await labelWith(run, data, teacher, teacher.file, {
              stage: 'evaluate',
              split: test,
              task: 'asking the teacher',
            })
          ).answers
        : undefined;
    const models = new Map<string, Measured>();
    try {
      for (const [name, file] of files) models.set(name, await openMeasured(run, data, name, file, models));
      const sections = openSections(run, data, models);
      const hosted =
        teacher?.hosted && new HostedMeasuring(heads, (models.get(STUDENT) as Measured).heads, compared);
      let done = 0;
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        run.checkInterrupted();
        const said = await measureBatch(batch, models, sections, data);
        hosted?.add(batch, said);
        done += batch.filled;
        const told = {
          stage: 'evaluate',
          task: 'answering',
          done,
          total: test.size,
          unit: task.unit,
        } as const;
        run.emit({ type: 'progress', ...told });
      }
      const sessions = new Map([...models].map(([name, { session }]) => [name, session]));
      const speeds = await timeModels(run, sessions, data, test);
      const result = (name: string): AnswersModel => ({
        metrics: withoutNaN((models.get(name) as Measured).measuring.values()),
        parameters: parameterCount(
          readModelFile(name === INT8 ? shipped.student : (files.get(name) as string)),
        ),
        bytes: modelBytes(files.get(name) as string),
        ...(speeds.get(name) as Speed),
        ...(name === INT8 && { int8Share: int8Share(readModelFile(shipped.student), shipped.float32Layers) }),
        file: relative(run.folder.path, files.get(name) as string),
      });
      const student = (models.get(STUDENT) as Measured).measuring;
      const gainOver = (name: string): Difference =>
        student.gainOver((models.get(name) as Measured).measuring);
      const value: AnswersEvaluation = {
        student: result(STUDENT),
        ...(await gated(
          run,
          data,
          shipped,
          shipped.studentInt8 ? { result: result(INT8), drop: gainOver(INT8) } : null,
        )),
        ...(teacher &&
          !teacher.hosted && { teacher: result(TEACHER_NAME), overTeacher: bounded(gainOver(TEACHER_NAME)) }),
        ...(teacher?.hosted &&
          hosted && { hostedTeacher: hostedResult(teacher.hosted, hosted, data.taughtTruth !== undefined) }),
        baselines: shipped.baselines.map(({ name, title, taughtBy }) => ({
          name,
          title,
          taughtBy,
          result: result(name),
          gain: bounded(gainOver(name)),
        })),
        testSamples: test.size,
        shippedCheck: shipped.check,
        sections: new Map([...sections].map(([output, section]) => [output, section.section()])),
      };
      const metric = mainMetric(heads);
      const told = [...models].map(
        ([name, { measuring }]) =>
          `${name === INT8 ? 'int8' : name} ${formatMetric(metric, measuring.values())}`,
      );
      return { value, summary: told.join(', ') };
    } finally {
      for (const { session } of models.values()) await session.release();
    }
  },
  plan: planEvaluation,
});

/** Opens a model; what its outputs are read with is chosen on the validation split. The int8 file is read as the student. */
async function openMeasured(
  run: RunContext,
  data: TaskData,
  name: string,
  file: string,
  models: ReadonlyMap<string, Measured>,
): Promise<Measured> {
  const session = await openClassifier(run.engine, file);
  const heads =
    name === INT8
      ? (models.get(STUDENT) as Measured).heads
      : await tuneHeads(run, session, data.heads, data.dataset.splits.validation);
  return { session, heads, measuring: new HeadsMeasuring(heads) };
}

function openSections(
  run: RunContext,
  { heads, task }: TaskData,
  models: ReadonlyMap<string, Measured>,
): Map<string, SectionCollector> {
  const sections = new Map<string, SectionCollector>();
  heads.forEach((head, i) => {
    const make = sectionOf(head.target.kind);
    if (!make) return;
    const thresholds = new Map<Speaker, readonly number[]>();
    for (const who of ['teacher', 'student'] as const) {
      const tuned = models.get(who)?.heads[i]?.tuned;
      if (tuned) thresholds.set(who, tuned);
    }
    const { seed, report } = run.recipe;
    const context = {
      head,
      seed,
      examples: report.examples,
      unit: task.unit,
      thresholds,
      tokenizer: task.tokenizer,
    };
    sections.set(head.output, make(context));
  });
  return sections;
}

async function measureBatch(
  batch: Batch,
  models: ReadonlyMap<string, Measured>,
  sections: ReadonlyMap<string, SectionCollector>,
  { heads, dataset }: TaskData,
): Promise<Readonly<Record<string, Tensor>>> {
  const fetches = Object.fromEntries(heads.map(({ output }) => [output, null]));
  const said = new Map<string, Record<string, Tensor>>();
  for (const [name, { session, measuring }] of models) {
    const answers = await session.run(takenFeeds(session, batch.columns), fetches);
    said.set(name, answers);
    measuring.add(answers, batch);
  }
  for (const [output, section] of sections) {
    const own = (['teacher', 'student'] as const).flatMap((who) => {
      const answer = said.get(who)?.[output];
      return answer ? [[who, answer] as const] : [];
    });
    section.add(new Map(own), batch, (ordinal) => dataset.splits.test.example(ordinal));
  }
  return said.get(STUDENT) as Readonly<Record<string, Tensor>>;
}

/** Decides whether the int8 file ships, and takes it out of the folder that does where not. */
async function gated(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'float32Layers'>,
  int8: { readonly result: AnswersModel; readonly drop: Difference } | null,
): Promise<Pick<AnswersEvaluation, 'studentInt8' | 'gate'>> {
  if (!int8 || !run.recipe.export.int8) return { studentInt8: null, gate: null };
  const { result, drop } = int8;
  const gate = await int8Gate(run, data, shipped, { drop, samples: data.dataset.splits.test.size });
  const { interval, ...others } = gate;
  const isKnown = interval && Number.isFinite(interval.low) && Number.isFinite(interval.high);
  const told = isKnown ? gate : others;
  if (gate.passed) return { studentInt8: result, gate: told };
  const file = relative(run.folder.path, rejectInt8(run.folder.path));
  run.folder.keepFolder('student');
  return { studentInt8: { ...result, file }, gate: told };
}

function withoutNaN(values: Evaluation): Record<string, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, finite(value)]));
}

function bounded({ difference, low, high }: Difference): Gain {
  return { difference: finite(difference), low: finite(low), high: finite(high) };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
