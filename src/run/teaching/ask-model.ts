import type { Batch } from '../../data/batch.ts';
import { ANSWER_PLACES, ANSWERED, ATTENTION_MASK, INPUT_IDS, SEQUENCE } from '../../data/columns.ts';
import { LimbeckError } from '../../errors.ts';
import type { StageName } from '../../events.ts';
import { type LabelPlan, type LabelResult, labelSplit } from '../../knowledge/label.ts';
import type { LabelEncoding } from '../../knowledge/label-encoding.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { Dim } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Head } from '../../targets/head.ts';
import { PLACES } from '../../targets/placed-forms.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { partsInWords } from '../../teachers/parts/parts-in-words.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import type { Teacher, TeacherOutput } from '../../teachers/teacher.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData, TeacherReading } from '../context/task.ts';
import { encodingOf } from '../heads/answer-dims.ts';
import { readTeacherGraph } from '../heads/teacher-graph.ts';
import { openLabeller, TEACHER_BATCH } from './ask-teacher.ts';
import { memoryBound } from './memory-bound.ts';
import { OTHER_TOKENIZER } from './read-apart.ts';
import type { TrainedTeacher } from './trained-teacher.ts';

/** What one of a teacher's models is asked in one pass. */
export interface Questions {
  /** The model's file: the float32 one or its int8 form. */
  readonly file: string;
  /** Outputs whose answers are kept. */
  readonly outputs: readonly string[];
  /** What is computed inside it. */
  readonly requests: readonly KnowledgeRequest[];
}

/** Which samples it is asked about, and what is told of it. */
export interface Asking {
  readonly stage: StageName;
  /** For the progress bar. */
  readonly task: string;
  /** For people: `train texts`. */
  readonly samples: string;
  batches(rows: number): Iterable<Batch>;
  /** Called before anything is counted. */
  readonly onSpaces?: (spaces: ReadonlyMap<string, LabelSpace>) => Promise<void>;
  /** Called before the teacher is asked. */
  readonly onPlan?: (plan: LabelPlan, spaces: ReadonlyMap<string, LabelSpace>) => void;
}

/** What came of it, and where the answers are, by tap: every output is one. */
export interface Asked {
  readonly result: LabelResult;
  readonly plan: LabelPlan;
  readonly spaces: ReadonlyMap<string, LabelSpace>;
}

/**
 * Asks one of a teacher's models about every sample that the store lacks an answer for: outputs and inner values together, by
 * one run of the model. The size of what will be kept is told first.
 */
export async function askModel(
  run: RunContext,
  { task, heads, dataset, teacherReads }: Pick<TaskData, 'task' | 'heads' | 'dataset' | 'teacherReads'>,
  teacher: Pick<TrainedTeacher, 'title' | 'file'>,
  questions: Questions,
  { stage, samples, batches, ...asking }: Asking,
): Promise<Asked> {
  const { outputs, requests } = questions;
  const taps = [...outputs, ...requests.map(({ tap }) => tap)];
  const encodings = new Map<string, LabelEncoding>([
    ...outputs.map((output) => [output, encodingOf(heads)] as const),
    ...requests.map(({ tap }) => [tap, 'float16'] as const),
  ]);
  const labeller = await openModel(run, { task, dataset, heads, teacherReads }, teacher, questions, {
    parallel: true,
  });
  try {
    const { title, hash, preprocessing } = labeller;
    const spaces = new Map<string, LabelSpace>();
    for (const tap of taps) {
      const { dims } = labeller.outputs[tap] as TeacherOutput;
      if (teacherReads && dims.includes(SEQUENCE) && !isPlaced(heads, tap))
        throw otherTokens(tap, teacherReads);
      const encoding = encodings.get(tap) as LabelEncoding;
      spaces.set(tap, await run.store.space({ title, teacher: hash, tap, preprocessing, dims, encoding }));
    }
    await asking.onSpaces?.(spaces);
    let plan: LabelPlan | undefined;
    const result = await labelSplit({
      teacher: labeller,
      taps,
      store: run.store,
      encoding: encodings,
      batchSize: TEACHER_BATCH,
      split: { batches },
      signal: run.options.signal,
      onPlan: (told) => {
        plan = told;
        asking.onPlan?.(told, spaces);
        if (told.missing === 0) return;
        run.emit({ type: 'log', level: 'info', message: kept(told, samples, questions) });
        if (labeller.parts) run.emit({ type: 'log', level: 'info', message: partsInWords(labeller.parts) });
      },
      onProgress: ({ done, total, note }) =>
        run.emit({ type: 'progress', stage, task: asking.task, done, total, unit: task.unit, note }),
      tell: (message) => run.emit({ type: 'log', level: 'info', message }),
    });
    return { result, plan: plan as LabelPlan, spaces };
  } finally {
    await labeller.close();
  }
}

/**
 * Opens one of a teacher's models with what is asked of it as its outputs; the caller closes it.
 *
 * @throws LimbeckError of `tapTeacher` where the model does not have what is asked for inside
 */
export function openModel(
  run: Pick<RunContext, 'engine' | 'recipe'>,
  data: Pick<TaskData, 'task' | 'dataset' | 'heads' | 'teacherReads'>,
  { title, file: float32 }: Pick<TrainedTeacher, 'title' | 'file'>,
  { file, outputs, requests }: Questions,
  { parallel = false } = {},
): Promise<Teacher> {
  const named = `${title}${file === float32 ? '' : ', int8'}`;
  const bound = memoryBound(run, data, file);
  const kept = keptForms(data.heads, outputs);
  if (requests.length === 0 && kept.length === 0)
    return openLabeller(run, data.task, file, named, { parallel, bound });
  const answers = outputs.map((output) => answerRequest(output, data.heads));
  const { graph } = tapTeacher(readTeacherGraph(file, data), [...answers, ...requests]);
  const told = outputs.length > 0 ? named : `${named}, inside`;
  const { preprocessing } = data.task;
  const labelling = { ...data.task, preprocessing: [preprocessing, ...kept].join(', of answers ') };
  const how = { hash: teacherHash(file), parallel, bound };
  return openLabeller(run, labelling, bound ? graph : writeModel(graph), told, how);
}

/** What is kept of the answers of some outputs, where it is not all. */
export function keptForms(heads: readonly Head[], outputs: readonly string[]): string[] {
  return heads.flatMap(({ output, kept }) => (kept && outputs.includes(output) ? [kept.title] : []));
}

/** An output of the teacher, in the form in which it is kept. */
function answerRequest(output: string, heads: readonly Head[]): KnowledgeRequest {
  const { kept, reads } = heads.find((head) => head.output === output) ?? {};
  return {
    tap: output,
    build(g, graph) {
      const answer = graph.value(output);
      if (!kept) return answer;
      const ids = graph.value(reads ?? INPUT_IDS);
      const mask = reads === undefined && graph.has(ATTENTION_MASK) ? graph.value(ATTENTION_MASK) : undefined;
      const places = kept.placed
        ? g.input(ANSWER_PLACES, 'int64', [ids.shape[0] as Dim, ANSWERED, PLACES])
        : undefined;
      return kept.build(g, answer, ids, mask, places);
    },
  };
}

/** Whether answers belong to the student's tokens, whatever the teacher's are. */
function isPlaced(heads: readonly Head[], tap: string): boolean {
  return heads.find(({ output }) => output === tap)?.kept?.placed === true;
}

/** Values for each token say nothing to a student that has other tokens. */
function otherTokens(tap: string, { apart = OTHER_TOKENIZER }: TeacherReading): LimbeckError {
  return new LimbeckError('teacher.tap', `'${tap}' is of the teacher's tokens, which are not the student's`, {
    where: `objective, ${apart.where}`,
    remedy: `Take losses about whole samples. Or: ${apart.remedy}`,
  });
}

function kept(
  { missing, samples: total, bytes }: LabelPlan,
  samples: string,
  { outputs, requests }: Questions,
) {
  const size = bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  const taps = requests.map(({ tap }) => tap).join(', ');
  const about = outputs.length === 0 ? ` for ${taps}` : '';
  const inside = outputs.length > 0 && requests.length > 0 ? `, with ${taps}` : '';
  return `${missing} of ${total} ${samples} have no answer${about} yet; about ${size} will be kept${inside}`;
}
