import { labelsOf } from '../../data/batch.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import { percent } from '../../percent.ts';
import type { HostedRecipe } from '../../recipe/schema.ts';
import { endpointAddress } from '../../teachers/chat/address.ts';
import { readKnowledge, splitBatches } from '../batches/sample-batches.ts';
import { withoutUnanswered } from '../batches/unanswered.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { askHosted } from './ask-hosted.ts';
import { type TeacherCheck, tellSkill } from './check-teacher.ts';
import { findAbilities } from './hosted-abilities.ts';
import { type HostedTeacher, openHostedTeacher } from './hosted-teacher.ts';
import type { TrainedTeacher } from './trained-teacher.ts';

/** What is remembered of a hosted teacher that is ready. */
interface Finding {
  readonly check?: TeacherCheck;
}

/** Finds out what the endpoint can, says where samples will go, and measures it on a few labelled ones. */
export async function readyHosted(
  run: RunContext,
  data: TaskData,
  choice: HostedRecipe['teacher'],
): Promise<{ value: TrainedTeacher; summary: string }> {
  const abilities = await findAbilities(run, data, choice);
  const hosted = openHostedTeacher(run, data, choice, abilities);
  try {
    run.folder.acceptInput('teacher', hosted.parts.map(({ hash }) => hash).join(' '));
    let finding = run.folder.finding<Finding>('teacher');
    if (!finding) {
      run.warn(sendingNotice(data, choice));
      const check = await checkHosted(run, data, hosted);
      finding = check ? { check } : {};
      run.folder.finish('teacher', finding);
    }
    const { check } = finding;
    const file = choice.baseURL;
    const value: TrainedTeacher = {
      title: hosted.title,
      file,
      labellingFile: file,
      precision: 'f32',
      agreement: null,
      validation: null,
      ...(check && { check }),
      hosted,
    };
    const right =
      check && check.samples > 0
        ? [`right on ${percent(check.accuracy)} of ${check.samples} validation samples`]
        : [];
    return { value, summary: [...hosted.parts.map(describePart), ...right].join('; ') };
  } catch (error) {
    await hosted.close();
    throw error;
  }
}

/** `soft labels from log-probabilities`. */
export function describePart({ mode, question }: HostedTeacher['parts'][0]): string {
  if (mode === 'logprobs') return 'soft labels from log-probabilities';
  if (mode === 'votes') return `soft labels from ${question?.wanted} answers each`;
  return mode === 'vectors' ? 'vectors from the endpoint for embeddings' : 'one answer each';
}

/** Who gets to read the samples. */
function sendingNotice(
  { dataset, asked, task, taughtTruth }: TaskData,
  choice: HostedRecipe['teacher'],
): string {
  const { validation, test } = dataset.splits;
  const { hostname, host } = endpointAddress(choice.baseURL);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  const more = [
    taughtTruth
      ? `${validation.size} to validate`
      : choice.check > 0
        ? `${Math.min(choice.check, validation.size)} to check it`
        : '',
    taughtTruth || choice.compare ? `${test.size} to test` : '',
  ].filter(Boolean);
  const counts = [`${asked.size} to train on`, ...more].join(', ');
  return `the ${task.unit} themselves are sent to ${host}${isHere ? ' (this machine)' : ', who can read them'}: ${counts}, as far as the store has no answers`;
}

/**
 * Measures the teacher on labelled validation samples, before it is paid for all others. Undefined where there is nothing to
 * measure it on.
 *
 * @throws LimbeckError `teacher.chance`
 */
async function checkHosted(
  run: RunContext,
  data: TaskData,
  hosted: HostedTeacher,
): Promise<TeacherCheck | undefined> {
  const { choice } = hosted;
  const { validation } = data.dataset.splits;
  if (choice.check === 0 || !isOneClass(data.heads) || validation.size === 0) return undefined;
  const split = firstSamples(validation, choice.check);
  const task = 'measuring it on labelled samples';
  const { space } = await askHosted(run, data, hosted, { stage: 'teacher', split, task });
  const classes = data.dataset.labels.length;
  const counts = new Float64Array(classes * classes);
  for (const batch of splitBatches(split, 256)) {
    const answered = withoutUnanswered(batch, readKnowledge(space, batch));
    if (answered.batch.filled === 0 || !labelsOf(answered.batch)) continue;
    for (const { label, answer } of readLogits(answered.answers, answered.batch))
      counts[label * classes + answer]! += 1;
  }
  return tellSkill(run, data, counts, hosted.title);
}

/** About so many samples of a split, of every bucket as many as it has of all, evenly from all over it. */
function firstSamples(split: TaskData['dataset']['splits']['validation'], most: number): typeof split {
  const part = Math.min(1, most / Math.max(1, split.size));
  const chosen = split.buckets.map(({ size }) => {
    const wanted = Math.ceil(part * size);
    return Array.from({ length: wanted }, (_, i) => Math.floor((i * size) / wanted));
  });
  const buckets = split.buckets.map((bucket, i) => ({ ...bucket, size: chosen[i]!.length }));
  return new Proxy(split, {
    get(target, key) {
      if (key === 'buckets') return buckets;
      if (key === 'size') return buckets.reduce((sum, { size }) => sum + size, 0);
      if (key === 'readBatch')
        return (bucket: number, indices: ArrayLike<number>, rows: number) =>
          target.readBatch(
            bucket,
            Array.from(indices, (index) => chosen[bucket]![index] as number),
            rows,
          );
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
