import { canonicalJson } from '../../data/canonical-json.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { innerAgreement } from './inner-agreement.ts';
import { rememberReady } from './known-teachers.ts';
import type { TrainedTeacher } from './trained-teacher.ts';

/** Which of a teacher's two forms is asked for what. */
export interface TeachingForm {
  /** The teacher, whose `labellingFile` answers. */
  readonly teacher: TrainedTeacher;
  /** The file that is looked into; the same one where a single pass does both. */
  readonly innerFile: string;
}

/** What a run remembers of the choice, so that one that goes on makes the same. */
interface FormFinding {
  /** The taps that it is about. */
  readonly taps: string;
  readonly answers: 'f32' | 'int8';
  readonly inner: 'f32' | 'int8';
}

/**
 * The form of the teacher that answers, and the one that is looked into. With a float32 teacher that is one. An int8 teacher is
 * looked into where its inner values agree with those of the float32 one (`teacher.minInnerCosine`); otherwise float32 does
 * both, for one float32 pass costs less than one of each, unless the recipe wants answers in int8 whatever comes.
 */
export async function teachingForm(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  requests: readonly KnowledgeRequest[],
): Promise<TeachingForm> {
  if (requests.length === 0 || teacher.hosted || teacher.precision === 'f32')
    return { teacher, innerFile: teacher.labellingFile };
  const taps = canonicalJson(requests.map(({ tap }) => tap));
  const known = run.folder.finding<FormFinding>('inner');
  // A run that earlier versions began to label looks into the float32 teacher.
  const begun = run.folder.finding('label') !== undefined;
  const earlier: FormFinding | undefined =
    known?.taps === taps ? known : begun ? { taps, answers: 'int8', inner: 'f32' } : undefined;
  const finding = earlier ?? { taps, ...(await choose(run, data, teacher, requests)) };
  if (finding !== known) run.folder.finish('inner', finding);
  const chosen: TrainedTeacher =
    finding.answers === 'int8' ? teacher : { ...teacher, precision: 'f32', labellingFile: teacher.file };
  if (chosen !== teacher) rememberReady(run, data, chosen);
  return { teacher: chosen, innerFile: finding.inner === 'int8' ? teacher.labellingFile : teacher.file };
}

async function choose(
  run: RunContext,
  data: TaskData,
  teacher: TrainedTeacher,
  requests: readonly KnowledgeRequest[],
): Promise<Pick<FormFinding, 'answers' | 'inner'>> {
  const choice = run.recipe.teacher as { readonly precision: string; readonly minInnerCosine?: number };
  const least = choice.minInnerCosine ?? MIN_INNER_COSINE;
  const found = await innerAgreement(run, data, teacher, requests);
  const agrees = 'cosine' in found && found.cosine >= least;
  const answers = agrees || choice.precision === 'int8' ? 'int8' : 'f32';
  const what = agrees
    ? 'int8 is asked for both'
    : answers === 'f32'
      ? 'float32 is asked for both'
      : 'float32 is asked for them, int8 for its answers';
  const why =
    'cosine' in found
      ? `inner values of the int8 teacher: cosine ${found.cosine.toFixed(4)} with float32 on ${found.samples} validation ${data.task.unit} (${found.tap}), ${agrees ? 'at least' : 'less than'} ${least}`
      : `the int8 teacher is not looked into: ${found.because}`;
  run.emit({ type: 'log', level: 'info', message: `${why}: ${what}` });
  return { answers, inner: agrees ? 'int8' : 'f32' };
}

/** Where the recipe does not say. */
export const MIN_INNER_COSINE = 0.99;
