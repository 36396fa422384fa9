import { int8Share } from '../../compress/int8-share.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import type { Difference } from '../../metrics/interval.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import { finite, type Gain, type ModelResult, shortName } from '../../report/result.ts';
import type { Section } from '../../report/targets/section.ts';
import { measuredRows } from '../batches/measured-rows.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { artifact, optional } from '../context/artifact.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openTeachers, type SeveralAsked } from '../evaluating/ask-several.ts';
import {
  besideReferences,
  textsGoOn,
  tokenReferencesOf,
  writtenTexts,
} from '../evaluating/language-model-sections.ts';
import { measuredFiles, smallerFiles, withoutBranches } from '../evaluating/measured-files.ts';
import { openModels } from '../evaluating/open-models.ts';
import { measureExits } from '../exits/measure-exits.ts';
import { gatedFurther, gatedInRuntimes, gatedInt8 } from '../gates/gate-files.ts';
import { mainFirst, mainMetric } from '../heads/head-metrics.ts';
import { attributionCosines } from '../measuring/attribution-cosines.ts';
import {
  ComparedModels,
  INT8_NAME,
  precisionNamed,
  STUDENT_NAME,
  TEACHER_NAME,
} from '../measuring/compared-models.ts';
import type { ComparedTeachers } from '../measuring/compared-teachers.ts';
import { EVALUATION_BATCH } from '../measuring/evaluation-batch.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import type { Speed } from '../measuring/measure-speed.ts';
import { modelResult } from '../measuring/model-result.ts';
import { ReportSections } from '../measuring/report-sections.ts';
import { timeModels } from '../measuring/time-models.ts';
import { planEvaluation } from '../planning/student-stages.ts';
import { networkFile } from '../shipping/shipped.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { DATA } from './data.ts';
import { SHIPPED } from './export.ts';
import { labelWith } from './label.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const EVALUATIONS = artifact<Evaluations>('evaluations');

/**
 * Measures the files, reloaded from disk, on the test split: every metric of every output, and speed. Every model is timed on
 * the same samples, one after another.
 */
export const evaluateStage = stage({
  name: 'evaluate',
  about: 'reload the files, measure and time them',
  needs: { data: DATA, shipped: SHIPPED, teacher: optional(TEACHER) },
  makes: EVALUATIONS,
  title: () => 'Measure on the test split',
  async run(run, { data, shipped, teacher }) {
    const { test } = data.dataset.splits;
    const models = new ComparedModels(data.heads);
    const files = measuredFiles(shipped, teacher);
    const smaller = smallerFiles(shipped);
    let teachers: SeveralAsked | undefined;
    try {
      const kept = await keptAnswers(run, data, teacher, models);
      const hosted = await openModels(run, data, { models, files, smaller, teacher, kept });
      teachers = await openTeachers(run, data, teacher);
      const sections = new ReportSections(run, data, models);
      let done = 0;
      for (const batch of splitBatches(test, measuredRows(data.heads, test, EVALUATION_BATCH))) {
        run.checkInterrupted();
        const said = await models.answer(batch);
        sections.add(said, batch);
        await teachers?.add(batch);
        hosted?.add(batch, said.get(STUDENT_NAME) as Readonly<Record<string, Tensor>>);
        done += batch.filled;
        const { unit } = data.task;
        run.emit({ type: 'progress', stage: 'evaluate', task: 'answering', done, total: test.size, unit });
      }
      const speeds = await timeModels(run, models.sessions, data, test);
      const exits = shipped.exits && (await measureExits(run, data, shipped.exits));
      const cosines = await attributionCosines(run, data, withoutBranches(files, shipped));
      const result = (name: string): ModelResult =>
        modelResult({
          runFolder: run.folder.path,
          file: files.get(name) as string,
          ...(smaller.has(name) && { network: shipped.student, layers: smaller.get(name) }),
          evaluation: models.measuringOf(name).values(),
          isOneClass: models.isOneClass,
          speed: speeds.get(name) as Speed,
          attributionCosine: cosines.get(name),
          ...(name === INT8_NAME && {
            biasCorrection: shipped.biasCorrection,
            int8Share: int8Share(readModelFile(networkFile(shipped)), [
              ...shipped.float32Layers,
              ...shipped.fourBitLayers,
            ]),
          }),
        });
      const { chance } = models;
      const references = await tokenReferencesOf(run, data);
      const value: Evaluations = {
        metrics: [...mainFirst(data.heads)],
        ...(await gatedInRuntimes(run, data, shipped, models.headsOf(STUDENT_NAME), {
          student: result(STUDENT_NAME),
          ...(await gatedInt8(run, data, shipped, { models, result })),
          ...(await gatedFurther(run, data, shipped, { models, result })),
        })),
        ...(files.has(TEACHER_NAME) && { teacher: result(TEACHER_NAME), ...besideTeacher(models) }),
        ...(teacher?.hosted &&
          hosted && { hostedTeacher: hosted.result(teacher.hosted, data.taughtTruth !== undefined) }),
        baselines: shipped.baselines.map(({ name, title, taughtBy }) => ({
          name,
          title,
          taughtBy,
          result: result(name),
          gain: gainOf(models.gainOver(name)),
        })),
        testSamples: test.size,
        ...(chance !== undefined && { chance }),
        ...(references.length > 0 && { references }),
        shippedCheck: shipped.check,
        ...(shipped.compression && { compression: shipped.compression }),
        ...(exits && { exits: exits.result }),
        ...(teachers && { teachers: teachers.compared.result() }),
        sections: withBlocks(sections.sections(), data, [
          ...(exits?.blocks ?? []),
          ...teachersBlocks(run, data, teachers?.compared),
          ...(await besideReferences(references, models)),
          ...(await textsGoOn(run, data, models)),
          ...(await writtenTexts(run)),
        ]),
      };
      return { value, summary: summaryOf(models, data) };
    } finally {
      await teachers?.release();
      await models.release();
    }
  },
  plan: planEvaluation,
});

/** The same of a student that is not compared with its teacher. */
export const studentEvaluationStage = stage({
  ...evaluateStage,
  needs: { data: DATA, shipped: SHIPPED },
  run: (run, needs) => evaluateStage.run(run, { ...needs, teacher: undefined }),
  title: () => 'Measure on the test split',
});

/** The report's sections by output, with more blocks for the main one. */
function withBlocks(
  sections: ReadonlyMap<string, Section>,
  { heads: [main] }: Pick<TaskData, 'heads'>,
  blocks: Section,
): ReadonlyMap<string, Section> {
  if (blocks.length === 0 || !main) return sections;
  return new Map([...sections, [main.output, [...(sections.get(main.output) ?? []), ...blocks]]]);
}

/**
 * What the teacher was asked of the test split. Of its classes the answers are kept in the store like all others; other answers are
 * kept rounded, and asked for anew, unless it runs in parts, which answers all samples together.
 */
async function keptAnswers(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher | undefined,
  { isOneClass }: ComparedModels,
): Promise<ReadonlyMap<string, LabelSpace> | undefined> {
  const isAsked =
    data.taughtTruth ||
    (teacher?.hosted ? teacher.hosted.choice.compare : isOneClass || teacherMemory(run.recipe) !== undefined);
  if (!teacher || !isAsked) return undefined;
  const read = asTeacherReads(data);
  const how = { stage: 'evaluate', split: read.dataset.splits.test, task: 'asking the teacher' } as const;
  const { answers } = await labelWith(run, read, teacher, teacher.file, how);
  if (answers) data.taughtTruth?.tell('test', answers);
  return answers;
}

/** What the report shows of several teachers; nothing of one. */
function teachersBlocks(
  { recipe }: RunContext,
  { dataset }: TaskData,
  teachers: ComparedTeachers | undefined,
): Section {
  if (!teachers) return [];
  const { test } = dataset.splits;
  const example = recipe.report.examples ? (ordinal: number) => test.example(ordinal) : undefined;
  return teachers.section(dataset.labels, example);
}

/** How the student stands to its teacher by the main metric. */
function besideTeacher(models: ComparedModels): Pick<Evaluations, 'overTeacher' | 'retentionInterval'> {
  const retention = models.measuringOf(STUDENT_NAME).retention(models.measuringOf(TEACHER_NAME));
  return {
    overTeacher: gainOf(models.gainOver(TEACHER_NAME)),
    ...(retention && { retentionInterval: retention }),
  };
}

function gainOf({ difference, low, high }: Difference): Gain {
  return { difference: finite(difference), low: finite(low), high: finite(high) };
}

/** `teacher 68.0 %, student 71.0 %, int8 70.9 %, baseline 52.0 %`. */
function summaryOf(models: ComparedModels, { heads }: TaskData): string {
  const metric = mainMetric(heads);
  const named = (name: string) => (name === INT8_NAME ? 'int8' : (precisionNamed(name) ?? shortName(name)));
  return models.names
    .map((name) => `${named(name)} ${formatMetric(metric, models.measuringOf(name).values())}`)
    .join(', ');
}
