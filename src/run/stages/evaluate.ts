import { int8Share } from '../../compress/int8-share.ts';
import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { Engine } from '../../engine/engine.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import type { Difference } from '../../metrics/interval.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { relative } from '../../platform/paths.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import {
  finite,
  type Gain,
  type Gate,
  type LayerPrecision,
  type ModelResult,
  type ReferenceResult,
  shippingPrecisions,
  shortName,
} from '../../report/result.ts';
import { studentShips } from '../../report/runtime-gates.ts';
import type { Section } from '../../report/targets/section.ts';
import type { Head } from '../../targets/head.ts';
import type { MemoryBound } from '../../teachers/parts/parted-model.ts';
import { measuredRows } from '../batches/measured-rows.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { artifact, optional } from '../context/artifact.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData, TeacherReading } from '../context/task.ts';
import { measureExits } from '../exits/measure-exits.ts';
import { mainFirst, mainMetric } from '../heads/head-metrics.ts';
import { tuneHeads } from '../heads/tune-heads.ts';
import { attributionCosines } from '../measuring/attribution-cosines.ts';
import {
  ComparedModels,
  furtherName,
  INT8_NAME,
  precisionNamed,
  STUDENT_NAME,
  TEACHER_NAME,
} from '../measuring/compared-models.ts';
import { ComparedTeachers } from '../measuring/compared-teachers.ts';
import { EVALUATION_BATCH } from '../measuring/evaluation-batch.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import type { Speed } from '../measuring/measure-speed.ts';
import { modelResult } from '../measuring/model-result.ts';
import { openClassifier } from '../measuring/open-classifier.ts';
import { ReportSections } from '../measuring/report-sections.ts';
import { timeModels } from '../measuring/time-models.ts';
import { planEvaluation } from '../planning/student-stages.ts';
import { type GatedFile, gateOf } from '../shipping/gate.ts';
import { rejectFile } from '../shipping/rejected-files.ts';
import { REJECTED_STUDENT, rejectStudent } from '../shipping/rejected-student.ts';
import { networkFile, type Shipped } from '../shipping/shipped.ts';
import type { HostedMeasuring } from '../teaching/hosted-measuring.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import type { WrittenStatistics } from '../writing/written-texts.ts';
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
    const files = filesOf(shipped, teacher);
    const smaller = smallerFiles(shipped);
    let teachers: ComparedTeachers | undefined;
    try {
      const hosted = await openModels(run, data, { models, files, smaller, teacher });
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
        ...(teachers && { teachers: teachers.result() }),
        sections: withBlocks(sections.sections(), data, [
          ...(exits?.blocks ?? []),
          ...teachersBlocks(run, data, teachers),
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

/** The same files, with the network as a plain one where the student's has branches: no gradient goes through those. */
function withoutBranches(
  files: ReadonlyMap<string, string>,
  { exits }: Pick<Shipped, 'exits'>,
): ReadonlyMap<string, string> {
  return exits ? new Map([...files, [STUDENT_NAME, exits.last]]) : files;
}

/** The report's sections by output, with more blocks for the main one. */
function withBlocks(
  sections: ReadonlyMap<string, Section>,
  { heads: [main] }: Pick<TaskData, 'heads'>,
  blocks: Section,
): ReadonlyMap<string, Section> {
  if (blocks.length === 0 || !main) return sections;
  return new Map([...sections, [main.output, [...(sections.get(main.output) ?? []), ...blocks]]]);
}

/** The files that are measured, by name. */
function filesOf(
  { student, studentInt8, further, baselines }: Shipped,
  teacher: TrainedTeacher | undefined,
): ReadonlyMap<string, string> {
  return new Map([
    ...(teacher && !teacher.hosted ? [[TEACHER_NAME, teacher.file] as const] : []),
    [STUDENT_NAME, student] as const,
    ...(studentInt8 ? [[INT8_NAME, studentInt8] as const] : []),
    ...further.map(({ precision, file }) => [furtherName(precision), file] as const),
    ...baselines.map(({ name, file }) => [name, file] as const),
  ]);
}

/**
 * Opens the models. Of a teacher's classes the answers are kept in the store like all others; other answers are kept rounded, and
 * asked for anew, unless the teacher runs in parts, which answers all samples together. Gives what measures a hosted teacher, on the samples that it answered.
 */
async function openModels(
  run: RunContext,
  data: TaskData,
  parts: {
    readonly models: ComparedModels;
    readonly files: ReadonlyMap<string, string>;
    readonly smaller: ReadonlyMap<string, unknown>;
    readonly teacher: TrainedTeacher | undefined;
  },
): Promise<HostedMeasuring | undefined> {
  const { models, files, smaller, teacher } = parts;
  const { test } = data.dataset.splits;
  const how = { stage: 'evaluate', split: test, task: 'asking the teacher' } as const;
  const hosted = teacher?.hosted;
  const read = asTeacherReads(data);
  const isAsked =
    data.taughtTruth ||
    (hosted ? hosted.choice.compare : models.isOneClass || teacherMemory(run.recipe) !== undefined);
  const asked = { ...how, split: read.dataset.splits.test };
  const kept =
    teacher && isAsked ? (await labelWith(run, read, teacher, teacher.file, asked)).answers : undefined;
  if (kept) data.taughtTruth?.tell('test', kept);
  for (const [name, file] of files) {
    const bound = name === TEACHER_NAME ? memoryBound(run, read, file) : undefined;
    await models.open(bound ? await inParts(run.engine, bound) : run.engine, name, file, {
      ...(name === TEACHER_NAME && (models.isOneClass || bound) && { kept }),
      ...(name === TEACHER_NAME && data.teacherReads && { reads: teacherBatches(data.teacherReads, test) }),
      // Smaller files are read as the student.
      ...(!smaller.has(name) && {
        tune: (session) =>
          tuneHeads(
            run,
            session,
            data.heads,
            (name === TEACHER_NAME ? read : data).dataset.splits.validation,
          ),
      }),
    });
  }
  // Against what it said itself it is not measured.
  const compared = data.taughtTruth ? undefined : kept;
  if (!hosted) return undefined;
  // Loaded where it is used: pages do not pay for it.
  const { HostedMeasuring } = await import('../teaching/hosted-measuring.ts');
  return new HostedMeasuring(data.heads, models.headsOf(STUDENT_NAME), compared);
}

/** Loaded where it is used: pages do not pay for it. */
async function inParts(engine: Engine, bound: MemoryBound): Promise<Pick<Engine, 'load'>> {
  const { engineInParts } = await import('../teaching/engine-in-parts.ts');
  return engineInParts(engine, bound);
}

/** Opens several teachers to be told apart; undefined where there is one. */
async function openTeachers(
  run: RunContext,
  { teacherReads, dataset }: TaskData,
  teacher: TrainedTeacher | undefined,
): Promise<ComparedTeachers | undefined> {
  if (!teacher?.members || teacher.membersFile === undefined) return undefined;
  const session = await openClassifier(run.engine, teacher.membersFile);
  const reads = teacherReads ? teacherBatches(teacherReads, dataset.splits.test) : (batch: Batch) => batch;
  return new ComparedTeachers(teacher.members, session, reads);
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

/** What language models are measured beside; nothing of others. */
async function tokenReferencesOf(run: RunContext, data: TaskData): Promise<ReferenceResult[]> {
  if (data.heads[0]?.features !== 'causal') return [];
  // Loaded where it is used: pages do not pay for it.
  const { tokenReferences } = await import('../measuring/token-references.ts');
  return tokenReferences(run, data);
}

async function besideReferences(
  references: readonly ReferenceResult[],
  models: ComparedModels,
): Promise<Section> {
  if (references.length === 0) return [];
  const { referenceSection } = await import('../measuring/token-references.ts');
  return referenceSection(
    references,
    models.names.map((name) => ({
      title: shortName(name),
      metrics: models.measuringOf(name).values(),
    })),
  );
}

/** How language models go on from texts; nothing of others. */
async function textsGoOn(run: RunContext, data: TaskData, models: ComparedModels): Promise<Section> {
  if (data.heads[0]?.features !== 'causal') return [];
  // Loaded where it is used: pages do not pay for it.
  const { continuations } = await import('../measuring/continuations.ts');
  return continuations(run, data, models);
}

/** What the teacher's own texts were like, where it wrote some. */
async function writtenTexts({ folder, recipe }: RunContext): Promise<Section> {
  const found = recipe.data.written && folder.finding<WrittenStatistics>('write');
  if (!found) return [];
  // Loaded where it is used: pages do not pay for it.
  const { writtenSection } = await import('../writing/written-section.ts');
  return writtenSection(found);
}

/** Batches of a split as the teacher reads them. */
function teacherBatches(reading: TeacherReading, split: Split): (batch: Batch) => Batch {
  return (batch) => reading.batch(batch, split);
}

/** How the student stands to its teacher by the main metric. */
function besideTeacher(models: ComparedModels): Pick<Evaluations, 'overTeacher' | 'retentionInterval'> {
  const retention = models.measuringOf(STUDENT_NAME).retention(models.measuringOf(TEACHER_NAME));
  return {
    overTeacher: gainOf(models.gainOver(TEACHER_NAME)),
    ...(retention && { retentionInterval: retention }),
  };
}

/** The student's files that are made of its float32 one, by name, with what became of their layers. */
function smallerFiles({
  studentInt8,
  layers,
  further,
}: Shipped): ReadonlyMap<string, readonly LayerPrecision[]> {
  return new Map([
    ...(studentInt8 ? [[INT8_NAME, layers] as const] : []),
    ...further.map((file) => [furtherName(file.precision), file.layers] as const),
  ]);
}

interface Measured {
  readonly models: ComparedModels;
  readonly result: (name: string) => ModelResult;
}

/** Decides whether the int8 file ships. */
async function gatedInt8(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  { models, result }: Measured,
): Promise<Pick<Evaluations, 'studentInt8' | 'gate'>> {
  const { int8 } = run.recipe.export;
  if (!shipped.studentInt8 || !int8) return { studentInt8: null, gate: null };
  const { float32Layers } = shipped;
  const { fourBitLayers } = shipped;
  const file: GatedFile = { precision: 'int8', maxDrop: int8.maxDrop, float32Layers, fourBitLayers };
  const gated = await gatedFile(run, data, shipped, file, result(INT8_NAME), models.gainOver(INT8_NAME));
  return { studentInt8: gated.result, gate: gated.gate };
}

/** Decides which of the student's files in further precisions ship. */
async function gatedFurther(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  { models, result }: Measured,
): Promise<Pick<Evaluations, 'further'>> {
  const further: NonNullable<Evaluations['further']> = [];
  for (const file of shipped.further) {
    const { precision } = file;
    const name = furtherName(precision);
    const gated = await gatedFile(run, data, shipped, file, result(name), models.gainOver(name));
    further.push({ precision, ...gated });
  }
  return further.length > 0 ? { further } : {};
}

/** Decides whether a smaller file ships, and takes it out of the folder that does where not. */
async function gatedFile(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  file: GatedFile,
  result: ModelResult,
  drop: Difference,
): Promise<{ result: ModelResult; gate: Gate }> {
  const gate = await gateOf(run, data, shipped, file, drop);
  if (gate.passed) return { result, gate };
  const rejected = rejectFile(run.folder.path, file.precision);
  run.folder.keepFolder('student');
  return { result: { ...result, file: relative(run.folder.path, rejected) }, gate };
}

/** What the gates decide on, and what they leave of it. */
type Gated = Pick<Evaluations, 'student' | 'studentInt8' | 'gate' | 'further' | 'runtimeGates'>;

/** Decides whether the student ships by what it takes in the runtimes that the recipe bounds, and takes all of it out of the way where not. */
async function gatedInRuntimes(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  heads: readonly Head[],
  files: Gated,
): Promise<Gated> {
  if (!run.recipe.export.gate) return files;
  // Loaded where it is used: pages do not pay for it.
  const { measureInRuntimes } = await import('../gates/runtime-gates.ts');
  const ships = new Set(shippingPrecisions(files));
  const runtimeGates = await measureInRuntimes(run, data, shipped, { heads, ships });
  if (studentShips({ runtimeGates })) return { ...files, runtimeGates };
  rejectStudent(run.folder.path);
  run.folder.keepFolder('student');
  return {
    ...files,
    student: moved(files.student),
    studentInt8: files.studentInt8 && moved(files.studentInt8),
    ...(files.further && { further: files.further.map((one) => ({ ...one, result: moved(one.result) })) }),
    runtimeGates,
  };
}

/** The same model with its place among what was kept back. */
function moved({ file, ...model }: ModelResult): ModelResult {
  return file === undefined ? model : { ...model, file: file.replace(/^student(?=[/\\])/, REJECTED_STUDENT) };
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
