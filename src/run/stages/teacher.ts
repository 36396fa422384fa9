import { isQuantized } from '../../compress/is-quantized.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { percent } from '../../percent.ts';
import { mkdirSync } from '../../platform/files.ts';
import { isHosted, requireModelTeacher } from '../../recipe/schema.ts';
import { wantedPrecision } from '../../recipe/teacher-memory.ts';
import { hostedTitle } from '../../teachers/chat/address.ts';
import { logitsOfProbabilities } from '../../teachers/class-logits.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { artifact } from '../context/artifact.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { comparesAnswers, saysTokens } from '../heads/comparable-answers.ts';
import { isOneClass, mainMetric } from '../heads/head-metrics.ts';
import { measureHeads } from '../heads/measure-heads.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';
import { planTeacher } from '../planning/teacher-stage.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { checkTeacher } from '../teaching/check-teacher.ts';
import { examineTeacher } from '../teaching/examine-teacher.ts';
import { int8Speedup } from '../teaching/int8-speedup.ts';
import { makeInt8Teacher } from '../teaching/int8-teacher.ts';
import { encoderHash, rememberReady } from '../teaching/known-teachers.ts';
import { measureInParts } from '../teaching/measure-in-parts.ts';
import { memoryBound } from '../teaching/memory-bound.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { DATA } from './data.ts';
import { stage } from './stage.ts';

/** What is remembered of a finished teacher. */
type Finding = Pick<
  TrainedTeacher,
  | 'precision'
  | 'cameQuantized'
  | 'agreement'
  | 'floatLayers'
  | 'int8Share'
  | 'int8Speedup'
  | 'validation'
  | 'check'
  | 'members'
>;

const FILE = 'teacher/model.onnx';
const INT8_FILE = 'teacher/model_int8.onnx';
const MEMBERS_FILE = 'teacher/members.onnx';

/** Why the files of a finished teacher cannot be used, if they cannot: a damaged teacher would label everything anew, and wrongly. */
function problemOf({ folder }: RunContext, { precision, members }: Finding): string | undefined {
  return (
    folder.problemOf(FILE) ??
    (precision === 'int8' ? folder.problemOf(INT8_FILE) : undefined) ??
    (members ? folder.problemOf(MEMBERS_FILE) : undefined)
  );
}

export const TEACHER = artifact<TrainedTeacher>('teacher');

/** Trains the teacher on the labelled samples, and chooses the precision in which it labels. */
export const teacherStage = stage({
  name: 'teacher',
  about: 'load the teacher and, where it needs one, train its head',
  needs: { data: DATA },
  makes: TEACHER,
  applies: ({ teacher }) => teacher !== undefined,
  title: ({ recipe }, { data }) =>
    `Make the teacher ready: ${isHosted(recipe) ? hostedTitle(recipe.teacher) : sourceOf(data).title}`,
  async run(run, { data }) {
    const { recipe } = run;
    if (isHosted(recipe)) {
      // Loaded where it is used: pages do not pay for it.
      const { readyHosted } = await import('../teaching/ready-hosted.ts');
      return readyHosted(run, data, recipe.teacher);
    }
    requireModelTeacher(recipe);
    const source = sourceOf(data);
    for (const message of source.origin ?? []) run.emit({ type: 'log', level: 'info', message });
    for (const note of [...(source.notes ?? []), ...(source.advice ?? [])]) run.warn(note);
    const choice = recipe.teacher;
    const file = run.folder.file(FILE);
    const int8File = run.folder.file(INT8_FILE);
    run.folder.acceptInput('teacher', inputHash(source, data.classes));
    let finding = run.folder.finding<Finding>('teacher');
    const problem = finding && problemOf(run, finding);
    if (problem !== undefined) run.warn(`${problem}; the teacher is made ready again`);
    if (!finding || problem !== undefined) {
      const trained = await data.teach(run);
      mkdirSync(run.folder.file('teacher'), { recursive: true });
      const model = withOutputs(
        trained.model,
        data.heads.map(({ output }) => output),
      );
      const classifies = isOneClass(data.heads);
      const read = asTeacherReads(data);
      writeModelFile(file, model);
      if (trained.members) writeModelFile(run.folder.file(MEMBERS_FILE), trained.members.model);
      // Our own sentence encoder is known.
      const form =
        choice.kind === 'use-lite' || !classifies ? undefined : await examineTeacher(run, read, file);
      if (form) writeModelFile(file, logitsOfProbabilities(model, form));
      const checked = classifies ? await checkTeacher(run, read, file) : undefined;
      const comparable = comparesAnswers(data.heads);
      if (!comparable && choice.precision === 'int8')
        run.warn(
          'teacher.precision: int8 is ignored: a part of the answers is kept, and it labels in float32',
        );
      // Where int8 is asked for, it labels whatever it agrees on.
      const minAgreement = choice.precision === 'int8' ? 0 : choice.minAgreement;
      const int8 =
        wantedPrecision(choice) === 'f32' || !comparable
          ? null
          : await makeInt8Teacher(run, read, { file, int8File, minAgreement, answered: checked?.answered });
      const isAlike = int8 !== null && int8.agreement >= minAgreement;
      const speedup =
        isAlike && choice.precision === 'auto' ? await int8Speedup(run, read, { file, int8File }) : undefined;
      const isFaster = speedup === undefined || speedup > 1;
      finding = {
        precision: isAlike && isFaster ? 'int8' : 'f32',
        ...(isQuantized(model) && { cameQuantized: true }),
        ...(speedup !== undefined && { int8Speedup: speedup }),
        agreement: int8?.agreement ?? null,
        floatLayers: int8?.floatLayers ?? [],
        ...(int8?.share !== undefined && { int8Share: int8.share }),
        validation: trained.validation ?? (classifies ? null : await measuredTeacher(run, read, model, file)),
        ...(checked && { check: checked.check }),
        ...(trained.members && { members: trained.members.list }),
      };
      if (speedup !== undefined) {
        const times = `int8 labels ${speedup.toFixed(2)} times as fast as float32 on this machine`;
        const message = isFaster
          ? times
          : `${times}: float32 labels (\`precision: int8\` asks for int8 all the same)`;
        run.emit({ type: 'log', level: 'info', message });
      }
      if (int8 && !isAlike) {
        run.warn(
          `the int8 teacher decides as the float32 one on ${percent(int8.agreement)} of ${int8.samples} ${saysTokens(data.heads) ? 'tokens' : data.task.unit}, less than ` +
            `teacher.minAgreement (${percent(choice.minAgreement)}): float32 labels`,
        );
      }
      run.folder.keep(
        FILE,
        ...(finding.precision === 'int8' ? [INT8_FILE] : []),
        ...(finding.members ? [MEMBERS_FILE] : []),
      );
      run.folder.finish('teacher', finding);
    }
    const labellingFile = finding.precision === 'int8' ? int8File : file;
    const value: TrainedTeacher = {
      title: data.teacherTitle,
      file,
      labellingFile,
      ...finding,
      ...(finding.members && { membersFile: run.folder.file(MEMBERS_FILE) }),
    };
    rememberReady(run, data, value);
    return { value, summary: summarize(value, data) };
  },
  release: ({ hosted }) => hosted?.close(),
  plan: planTeacher,
});

function sourceOf({ task }: TaskData): TeacherSource {
  return task.teacher as TeacherSource;
}

/** The teacher's model and, where that is not its own, the order of its classes. */
function inputHash(source: TeacherSource, classes: ClassMatch | undefined): string {
  const hash = encoderHash(source);
  const order = classes?.outputs.some((output, i) => output !== i) ? ` ${classes.outputs.join()}` : '';
  return `${hash}${order}`;
}

/** How a teacher that came as it is does on the validation split; null where only its own answers are known. */
async function measuredTeacher(
  run: RunContext,
  data: TaskData,
  model: Graph,
  file: string,
): Promise<Evaluation | null> {
  if (data.heads.some(isTaughtAlone)) return null;
  const bound = memoryBound(run, data, file);
  if (bound) return measureInParts(run, data, file, bound);
  const { validation } = data.dataset.splits;
  return (await measureHeads(run, model, data.heads, validation, TEACHER_BATCH)).values();
}

function summarize(
  {
    precision,
    cameQuantized,
    agreement,
    floatLayers = [],
    int8Share,
    int8Speedup: speedup,
    validation,
    check,
  }: TrainedTeacher,
  { heads }: TaskData,
): string {
  const parts = [];
  if (validation) parts.push(`${formatMetric(mainMetric(heads), validation)} on the validation split`);
  else if (check && check.samples > 0)
    parts.push(`right on ${percent(check.accuracy)} of ${check.samples} validation samples`);
  if (agreement !== null) {
    const times = speedup === undefined ? '' : ` at ${speedup.toFixed(2)} times the speed`;
    parts.push(`int8 agrees on ${percent(agreement)}${times}`);
  }
  const kept = floatLayers.length;
  const mixed =
    precision === 'int8' && kept > 0 ? ` with ${kept} ${kept === 1 ? 'layer' : 'layers'} in float32` : '';
  const share =
    precision === 'int8' && int8Share !== undefined
      ? ` (${percent(int8Share)} of its multiplications in int8)`
      : '';
  if (cameQuantized && precision === 'f32') parts.push('labels as it came, quantised');
  else parts.push(`${precision} labels${mixed}${share}`);
  return parts.join('; ');
}
