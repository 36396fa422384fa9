import { type Batch, SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { tokenSpans } from '../data/modalities/text/tokenizer/token-spans.ts';
import { LimbeckError } from '../errors.ts';
import { inFlight } from '../in-flight.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { estimateBytes, estimateLengthBytes } from './estimate.ts';
import type { LabelEncoding } from './label-encoding.ts';
import { keyAt, type LabelSpace } from './label-space.ts';
import { LabelWriter } from './label-writer.ts';
import { PendingBatches } from './pending-batches.ts';
import type { KnowledgeStore } from './store.ts';
import { hasLength } from './true-length.ts';

/** What labelling needs of a split: its samples as batches, in an order that does not matter. */
export interface LabelSplit {
  /** Batches of at most `rows` samples; a batch may be changed once the next one is asked for. */
  batches(rows: number): Iterable<Batch> | AsyncIterable<Batch>;
}

/** What is going to be done, told before the teacher is asked for the first time. */
export interface LabelPlan {
  readonly samples: number;
  /** Samples that the teacher will be asked about. */
  readonly missing: number;
  /** How many samples have no answer of each tap. */
  readonly missingOf: ReadonlyMap<string, number>;
  /** About how much disk their labels will take. */
  readonly bytes: number;
}

export interface LabelProgress {
  /** Of the missing samples. */
  readonly done: number;
  readonly total: number;
  /** Of a teacher that runs in parts: at which one it is. */
  readonly note?: string;
}

export interface LabelOptions {
  teacher: Teacher;
  taps: readonly string[];
  split: LabelSplit;
  store: KnowledgeStore;
  /** Of all taps, or of each; `float16` by default. */
  encoding?: LabelEncoding | ReadonlyMap<string, LabelEncoding>;
  /** Samples per run of the teacher; 128 by default. */
  batchSize?: number;
  onPlan?: (plan: LabelPlan) => void;
  onProgress?: (progress: LabelProgress) => void;
  /** Is told what a person has to know meanwhile. */
  tell?: (message: string) => void;
  signal?: AbortSignal;
}

export interface LabelResult {
  /** Samples whose labels are new. */
  readonly labelled: number;
  /** Samples whose labels were in the store before. */
  readonly reused: number;
  /** Samples that have the content of another one: one answer is for all of them. */
  readonly repeated: number;
  /** Samples that the teacher was asked about. */
  readonly teacherCalls: number;
  readonly seconds: number;
  /** Of these, while the teacher answered: of several batches at once, the mean. */
  readonly secondsInTeacher: number;
}

/**
 * Asks the teacher about the samples of a split that have no labels in the store, and keeps the answers. A sample that lacks
 * the answer of some tap is asked about once for all of them; answers that are there stay as they are.
 *
 * What was answered is committed whatever ends it: an error, an abort (it throws the signal's reason), or the
 * end; a killed process loses the last 2 seconds at most. So it can be called again and goes on.
 *
 * @throws LimbeckError of the teacher (`teacher.not-finite`, ...) and of the store (`store.disk-full`, ...).
 */
export async function labelSplit(options: LabelOptions): Promise<LabelResult> {
  const { teacher, split, signal, batchSize = 128, onProgress } = options;
  const began = performance.now();
  const spaces = await spacesOf(options);
  const plan = await planLabels(options);
  signal?.throwIfAborted();
  options.onPlan?.(plan);
  let labelled = 0;
  let twice = 0;
  let secondsInTeacher = 0;
  if (plan.missing > 0) {
    for (const [tap, count] of plan.missingOf) if (count === 0) spaces.delete(tap);
    const taps = [...spaces.keys()];
    const { batchesAtOnce = 1 } = teacher;
    // Few samples are shared among the batches that are answered at once: one batch alone is answered by one thread.
    const rows = Math.min(batchSize, Math.ceil(plan.missing / batchesAtOnce));
    const pending = new PendingBatches(teacher.labelAll ? batchSize : rows);
    const writer = new LabelWriter(spaces, batchSize);
    const queued = new Set<string>();
    /** Full batches of samples that lack an answer, then those that are left. */
    const asked = async function* (): AsyncGenerator<Batch> {
      for await (const batch of split.batches(batchSize)) {
        signal?.throwIfAborted();
        for (const row of missingRows(spaces, batch.keys)) {
          const key = keyAt(batch.keys, row);
          const name = nameOf(key);
          // What was committed meanwhile is one of those that the list was made of.
          if (queued.has(name) || writer.holds(key) || !lacksSome(spaces, key)) {
            twice++;
            continue;
          }
          queued.add(name);
          const full = pending.add(batch, row);
          if (full) yield full;
        }
      }
      yield* pending.rest();
    };
    const ask = async (batch: Batch) => {
      const start = performance.now();
      const labels = await teacher.label(batch, taps);
      secondsInTeacher += (performance.now() - start) / 1000 / batchesAtOnce;
      return labels;
    };
    const total = plan.missing;
    const answers = teacher.labelAll?.(asked(), taps, {
      resume: true,
      commit: () => writer.flush(),
      onProgress: ({ part, parts, done }) =>
        onProgress?.({ done: Math.floor(done * total), total, note: `part ${part + 1} of ${parts}` }),
      ...(options.tell && { tell: options.tell }),
      checkInterrupted: () => signal?.throwIfAborted(),
    });
    const start = performance.now();
    try {
      for await (const [batch, labels] of answers ?? inFlight(asked(), batchesAtOnce, ask)) {
        // What an earlier call asked about may be answered in part.
        labelled += answers ? lackingRows(spaces, batch.keys, writer) : batch.filled;
        await writer.add(batch.keys, labels, tokenSpans(batch));
        for (let i = 0; i < batch.filled; i++) queued.delete(nameOf(keyAt(batch.keys, i)));
        if (!answers) onProgress?.({ done: labelled + twice, total });
        signal?.throwIfAborted();
      }
    } catch (error) {
      // The first error is the one to tell; a disk that is full now has told so or will at the next run.
      await writer.flush().catch(() => {});
      throw error;
    }
    if (answers) secondsInTeacher = (performance.now() - start) / 1000;
    await writer.flush();
  }
  return {
    labelled,
    reused: plan.samples - plan.missing,
    repeated: plan.missing - labelled,
    teacherCalls: labelled,
    seconds: (performance.now() - began) / 1000,
    secondsInTeacher,
  };
}

/** Counts what labelling would do, without asking the teacher. */
export async function planLabels(
  options: Pick<LabelOptions, 'teacher' | 'taps' | 'split' | 'store' | 'encoding' | 'batchSize' | 'signal'>,
): Promise<LabelPlan> {
  const { split, batchSize = 128, signal } = options;
  const spaces = [...(await spacesOf(options))];
  let samples = 0;
  let missing = 0;
  const missingOf = new Map(spaces.map(([tap]) => [tap, 0]));
  const lengthsOf = new Map(spaces.map(([tap]) => [tap, new Map<number, number>()]));
  for await (const batch of split.batches(batchSize)) {
    signal?.throwIfAborted();
    samples += batch.keys.length / SAMPLE_KEY_BYTES;
    // Batches may be made when they are looked at: of answers without a length only their keys are.
    const spans = spaces.some(([, { info }]) => hasLength(info.dims)) ? tokenSpans(batch) : undefined;
    const lacking = spaces.map(([tap, space]) => {
      const rows = space.missing(batch.keys);
      missingOf.set(tap, (missingOf.get(tap) as number) + rows.length);
      const lengths = lengthsOf.get(tap) as Map<number, number>;
      if (hasLength(space.info.dims)) {
        for (const row of rows) {
          const length = spans?.lengths[row] ?? 0;
          lengths.set(length, (lengths.get(length) ?? 0) + 1);
        }
      }
      return rows;
    });
    missing += unionOf(lacking).length;
  }
  let bytes = 0;
  for (const [tap, { info }] of spaces) {
    const { dims, encoding } = info;
    bytes += hasLength(dims)
      ? estimateLengthBytes(lengthsOf.get(tap) as Map<number, number>, dims, encoding)
      : estimateBytes(missingOf.get(tap) as number, dims as number[], encoding);
  }
  return { samples, missing, missingOf, bytes };
}

/** The spaces of a teacher's taps, by tap. */
async function spacesOf(
  options: Pick<LabelOptions, 'teacher' | 'taps' | 'store' | 'encoding'>,
): Promise<Map<string, LabelSpace>> {
  const { teacher, taps, store, encoding = 'float16' } = options;
  const spaces = new Map<string, LabelSpace>();
  for (const tap of taps) {
    const output = teacher.outputs[tap];
    if (!output) {
      throw new LimbeckError('teacher.tap', `${teacher.title} has no tap '${tap}'`, {
        where: `its taps: ${Object.keys(teacher.outputs).join(', ')}`,
        remedy: 'Name one of them.',
      });
    }
    const { title, hash, preprocessing } = teacher;
    const own = typeof encoding === 'string' ? encoding : (encoding.get(tap) ?? 'float16');
    spaces.set(
      tap,
      await store.space({ title, teacher: hash, tap, preprocessing, dims: output.dims, encoding: own }),
    );
  }
  return spaces;
}

function lacksSome(spaces: ReadonlyMap<string, LabelSpace>, key: Uint8Array): boolean {
  for (const space of spaces.values()) if (!space.has(key)) return true;
  return false;
}

/** How many samples of a batch lack an answer that does not wait to be committed. */
function lackingRows(spaces: ReadonlyMap<string, LabelSpace>, keys: Uint8Array, writer: LabelWriter): number {
  return missingRows(spaces, keys).filter((row) => !writer.holds(keyAt(keys, row))).length;
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}

/** The rows that have no label in some space. */
function missingRows(spaces: ReadonlyMap<string, LabelSpace>, keys: Uint8Array): number[] {
  return unionOf([...spaces.values()].map((space) => space.missing(keys)));
}

function unionOf(lists: readonly number[][]): number[] {
  return lists.length === 1 ? (lists[0] as number[]) : [...new Set(lists.flat())].sort((a, b) => a - b);
}
