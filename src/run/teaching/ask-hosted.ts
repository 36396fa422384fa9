import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Split } from '../../data/split.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { LimbeckError } from '../../errors.ts';
import type { StageName } from '../../events.ts';
import { estimateBytes } from '../../knowledge/estimate.ts';
import type { LabelPlan } from '../../knowledge/label.ts';
import { keyAt, type LabelSpace } from '../../knowledge/label-space.ts';
import type { SizedAnswer } from '../../knowledge/record.ts';
import { type AnswerDims, dimsAt, hasLength } from '../../knowledge/true-length.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { percent } from '../../percent.ts';
import { hexOf, joinBytes } from '../../platform/bytes.ts';
import {
  type AskedSample,
  type AskResult,
  askSamples,
  unansweredText,
} from '../../teachers/chat/ask-samples.ts';
import { embedSamples } from '../../teachers/chat/embed-samples.ts';
import type { Reading } from '../../teachers/chat/reply.ts';
import { readKnowledge, splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { encodingOf } from '../heads/answer-dims.ts';
import type { HostedPart, HostedTeacher } from './hosted-teacher.ts';
import type { Labels } from './lessons.ts';

const ROWS = 256;

export interface AskedSplit {
  readonly stage: StageName;
  readonly split: Split;
  /** For the progress bar. */
  readonly task: string;
  readonly onPlan?: ((space: LabelSpace, plan: LabelPlan) => void) | undefined;
  /** Samples that are asked about, of all that have no answer; the first ones. */
  readonly most?: number | undefined;
}

/** Asks a hosted teacher about every sample of a split that has no answer yet; each answer is kept at once. */
export async function askHosted(
  run: RunContext,
  { task, heads }: Pick<TaskData, 'task' | 'heads'>,
  hosted: HostedTeacher,
  how: AskedSplit,
): Promise<Labels> {
  const began = performance.now();
  const answers = new Map<string, LabelSpace>();
  const encoding = encodingOf(heads);
  for (const { head, hash, dims } of hosted.parts) {
    const { title } = hosted;
    const preprocessing = preprocessingOf(task, dims);
    const tap = head.output;
    answers.set(tap, await run.store.space({ title, teacher: hash, tap, preprocessing, dims, encoding }));
  }
  let labelled = 0;
  let reused = 0;
  let repeated = 0;
  for (const [index, part] of hosted.parts.entries()) {
    const space = answers.get(part.head.output) as LabelSpace;
    const counted = countMissing(how.split, space);
    const plan: LabelPlan = {
      samples: how.split.size,
      missing: counted.missing,
      missingOf: new Map([[part.head.output, counted.missing]]),
      bytes: estimateBytes(counted.missing, dimsAt(part.dims, 32), encoding),
    };
    if (index === 0) how.onPlan?.(space, plan);
    const result =
      counted.distinct > 0
        ? await askAbout(run, hosted, part, { ...how, space, total: counted.distinct, unit: task.unit })
        : undefined;
    if (index > 0) continue;
    labelled = result?.asked ?? 0;
    reused = how.split.size - counted.missing;
    repeated = counted.missing - counted.distinct;
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    labelled,
    reused,
    repeated,
    teacherCalls: labelled,
    seconds,
    secondsInTeacher: seconds,
    space: answers.get((heads[0] as TaskData['heads'][0]).output) as LabelSpace,
    answers,
  };
}

/** What answers depend on besides the teacher: the text, and the tokens that answers about them are counted in. */
export function preprocessingOf(
  { preprocessing }: Pick<TaskData['task'], 'preprocessing'>,
  dims: HostedPart['dims'],
): string {
  return hasLength(dims) ? `the whole text; ${preprocessing}` : 'the whole text';
}

function countMissing(split: Split, space: LabelSpace): { missing: number; distinct: number } {
  let missing = 0;
  const seen = new Set<string>();
  for (const batch of splitBatches(split, ROWS)) {
    for (const row of space.missing(batch.keys)) {
      missing++;
      seen.add(hexOf(keyAt(batch.keys, row)));
    }
  }
  return { missing, distinct: seen.size };
}

async function askAbout(
  run: RunContext,
  hosted: HostedTeacher,
  part: HostedPart,
  how: AskedSplit & {
    readonly space: LabelSpace;
    readonly total: number;
    readonly unit: TaskData['task']['unit'];
  },
): Promise<{ readonly asked: number }> {
  const { space, stage, split, unit, most = Number.POSITIVE_INFINITY } = how;
  const total = Math.min(how.total, most);
  const { choice, spending } = hosted;
  run.emit({
    type: 'log',
    level: 'info',
    message: `${total} ${split.name} ${unit} are sent to ${hosted.title}`,
  });
  let done = 0;
  const waiting = new WaitingLabels(space);
  const onAnswer = async (sample: AskedSample, reading: Reading) => {
    await waiting.add(sample, reading);
    done++;
    run.emit({ type: 'progress', stage, task: how.task, done, total, unit, note: spending.told });
  };
  const common = {
    choice,
    samples: missingSamples(split, space, most),
    paid: hosted.paid(part),
    spending,
    model: hosted.model,
    id: part.paidId,
    endpoint: () => hosted.endpoint(),
    onAnswer,
    onWarning: (message: string) => run.warn(message),
    signal: run.options.signal,
  };
  const { question } = part;
  let result: AskResult;
  try {
    result = question
      ? await askSamples({ ...common, question })
      : await embedSamples({ ...common, width: part.dims[0] as number });
  } finally {
    await waiting.flush();
  }
  tellUnanswered(run, how, result, total);
  run.emit({
    type: 'log',
    level: 'info',
    message: `${result.requests} requests; ${spending.told} in all so far`,
  });
  return { asked: total };
}

function tellUnanswered(
  run: RunContext,
  { split, unit }: { readonly split: Split; readonly unit: string },
  { unanswered }: AskResult,
  total: number,
): void {
  const none = Object.values(unanswered).reduce((sum, count) => sum + count, 0);
  if (none === 0) return;
  run.warn(
    `${none} of ${total} ${split.name} ${unit} have no answer (${unansweredText(unanswered)}, ${percent(none / total)}): they count nothing in the loss`,
  );
}

const MOST_WAITING = 64;

/**
 * Keeps answers as labels, some at a time: the replies that they are made of are on the disk already. One that is none is kept
 * as numbers that are none, so that it is not paid again.
 */
class WaitingLabels {
  readonly #space: LabelSpace;
  readonly #dims: AnswerDims;
  #keys: Uint8Array[] = [];
  #rows: SizedAnswer[] = [];

  constructor(space: LabelSpace) {
    this.#space = space;
    this.#dims = space.info.dims;
  }

  async add({ key, length = 0 }: AskedSample, reading: Reading): Promise<void> {
    const values =
      'values' in reading
        ? reading.values
        : new Float32Array(elementCount(dimsAt(this.#dims, length))).fill(Number.NaN);
    this.#keys.push(key);
    this.#rows.push({ length, values });
    if (this.#rows.length >= MOST_WAITING) await this.flush();
  }

  async flush(): Promise<void> {
    const [keys, rows] = [joinBytes(this.#keys), this.#rows];
    this.#keys = [];
    this.#rows = [];
    if (rows.length === 0) return;
    if (hasLength(this.#dims)) {
      await this.#space.put(keys, rows);
      return;
    }
    const width = rows[0]?.values.length ?? 0;
    const all = new Float32Array(rows.length * width);
    rows.forEach(({ values }, i) => {
      all.set(values, i * width);
    });
    await this.#space.put(keys, all);
  }
}

/** The samples without an answer, each text once. */
function* missingSamples(split: Split, space: LabelSpace, most: number): Generator<AskedSample> {
  const asked = new Set<string>();
  for (const batch of splitBatches(split, ROWS)) {
    const spans = tokenSpans(batch);
    for (const row of space.missing(batch.keys)) {
      const key = keyAt(batch.keys, row).slice();
      const name = hexOf(key);
      if (asked.has(name)) continue;
      if (asked.size >= most) return;
      asked.add(name);
      const ordinal = batch.ordinals[row] as number;
      yield { key, text: (split as TextSplit).text(ordinal), length: spans?.lengths[row] };
    }
  }
}

/**
 * How many samples of a split the teacher left without an answer.
 *
 * @throws LimbeckError `teacher.unanswered` where they are more than the recipe allows
 */
export function countUnanswered(
  split: Split,
  space: LabelSpace,
  { choice }: Pick<HostedTeacher, 'choice'>,
): number {
  let none = 0;
  for (const batch of splitBatches(split, ROWS)) {
    const { data } = readKnowledge(space, batch);
    const width = data.length / batch.rows;
    for (let row = 0; row < batch.filled; row++)
      if (Number.isNaN((data as Float32Array)[row * width])) none++;
  }
  if (none <= choice.maxUnanswered * split.size) return none;
  throw new LimbeckError(
    'teacher.unanswered',
    `the teacher answers too little: ${none} of ${split.size} ${split.name} samples have no answer`,
    {
      where: `${choice.baseURL}, model ${choice.model}`,
      remedy:
        'Say more clearly what is wanted (teacher.task, teacher.system), or take another model. To go on all the same: teacher.maxUnanswered.',
    },
  );
}
