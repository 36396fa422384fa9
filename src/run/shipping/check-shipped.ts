import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { defaultThreads } from '../../engine/thread-count.ts';
import { LimbeckError } from '../../errors.ts';
import { ownReader } from '../../export/own-reader.ts';
import { fileOf, type Precision } from '../../export/precisions.ts';
import type { ReaderAnswer, ReaderInput, ReaderKind, ShippedFile } from '../../export/shipped-reader.ts';
import { transformersReader } from '../../export/transformers-reader.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { basename } from '../../platform/paths.ts';
import type { ShippedCheck } from '../../report/result.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openClassifier } from '../measuring/open-classifier.ts';

/** Samples that are compared, from all over the test split and of all lengths. */
const SAMPLES = 48;
/** So many of them also alone. */
const SINGLES = 16;
/** Rows of a batch, of mixed lengths. */
const ROWS = 8;

/**
 * How much less likely than the measured answer another one may be, as a probability, to count as the same: a batch is
 * summed in another order than a text alone, and in int8 that moves a value to its neighbour.
 */
const TIES = { f32: 1e-3, int8: 0.1, q4: 1e-3, fp16: 0.02 } as const satisfies Record<Precision, number>;

type Run = Pick<RunContext, 'engine' | 'recipe' | 'warn' | 'checkInterrupted'>;

/** A sample as a reader gets it, and what was measured of it. */
interface Expected {
  readonly input: ReaderInput;
  readonly ordinal: number;
  /** Of every class. */
  readonly probabilities: Float64Array;
}

/**
 * Reads the shipped folder as its users do, and compares the answers with those that are measured: a sample at a time and in
 * batches of mixed lengths, in every precision that ships. The reader is `@huggingface/transformers` where that is installed, and
 * one of our own that works alike where not. It is part of writing a student: every run that does so fails here when what
 * ships answers otherwise.
 *
 * @throws LimbeckError `export.unreadable` when the folder cannot be read, `export.other-answers` with the first sample
 *   that is answered otherwise
 */
export async function checkShipped(
  run: Run,
  data: TaskData,
  folder: string,
  options: {
    readonly precisions: readonly Precision[];
    /** Who reads; found when absent. */
    readonly reader?: ReaderKind;
  },
): Promise<ShippedCheck> {
  const reader = options.reader ?? (await findReader(run));
  const { labels } = data.dataset;
  const files: ShippedCheck['files'] = [];
  let samples = 0;
  for (const precision of options.precisions) {
    run.checkInterrupted();
    const name = fileOf(precision);
    const expected = await measuredAnswers(run, data, `${folder}/${name}`);
    const file = { folder, task: run.recipe.task, precision, threads: defaultThreads() };
    const place = { file: `${basename(folder)}/${name}`, reader: reader.title, labels, tie: TIES[precision] };
    await compare(reader, file, expected, place);
    files.push(name);
    samples = expected.length;
  }
  return { reader: reader.title, samples, files };
}

/** The reader that most users have; ours when it is absent or broken (which is told). */
async function findReader(run: Run): Promise<ReaderKind> {
  try {
    return (await transformersReader()) ?? ownReader(run.engine);
  } catch (error) {
    run.warn(
      `@huggingface/transformers is installed but cannot be loaded (${(error as Error).message}): the student was checked by Limbeck's own reader`,
    );
    return ownReader(run.engine);
  }
}

interface Place {
  readonly file: string;
  readonly reader: string;
  readonly labels: readonly string[];
  readonly tie: number;
}

async function compare(
  kind: ReaderKind,
  file: ShippedFile,
  expected: readonly Expected[],
  place: Place,
): Promise<void> {
  const read = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (cause) {
      throw unreadable(place, cause);
    }
  };
  const reader = await read(() => kind.open(file));
  try {
    for (const sample of expected.slice(0, SINGLES)) {
      const answers = await read(() => reader.classify([sample.input]));
      checkAnswer(sample, answers[0], 'alone', place);
    }
    for (let from = 0; from < expected.length; from += ROWS) {
      const batch = expected.slice(from, from + ROWS);
      const answers = await read(() => reader.classify(batch.map(({ input }) => input)));
      batch.forEach((sample, row) => {
        checkAnswer(sample, answers[row], `in a batch of ${batch.length}`, place);
      });
    }
  } finally {
    await reader.close();
  }
}

function checkAnswer(
  { input, ordinal, probabilities }: Expected,
  answer: ReaderAnswer | undefined,
  how: string,
  { file, reader, labels, tie }: Place,
): void {
  const best = probabilities.reduce((a, value, i) => (value > (probabilities[a] as number) ? i : a), 0);
  const told = probabilities[answer ? labels.indexOf(answer.label) : -1] ?? Number.NEGATIVE_INFINITY;
  if ((probabilities[best] as number) - told <= tie) return;
  const sample =
    'text' in input
      ? JSON.stringify([input.text, input.pair ?? []].flat().join(' | ').slice(0, 60))
      : `image ${ordinal + 1}`;
  const score = (value: number | undefined) => value?.toFixed(3) ?? 'nothing';
  throw new LimbeckError(
    'export.other-answers',
    `the shipped student answers otherwise than measured: ${answer?.label} (${score(answer?.score)}) instead of ${labels[best]} (${score(probabilities[best])})`,
    {
      where: `${file}, read by ${reader} ${how}: test sample ${ordinal}, ${sample}`,
      remedy:
        'What ships would not be what was measured, so the run stops. Most often the tokenizer does something that the reader does not know; warnings at the start of the run say what.',
    },
  );
}

function unreadable({ file, reader }: Place, cause: unknown): LimbeckError {
  return new LimbeckError(
    'export.unreadable',
    `the shipped student cannot be read: ${(cause as Error).message}`,
    {
      where: `${file}, read by ${reader}`,
      remedy: "Check the teacher's tokenizer files, from which those of the student are made.",
      cause,
    },
  );
}

/** What the file that was written answers to samples from all over the test split, fed as it is measured. */
async function measuredAnswers(run: Run, data: TaskData, file: string): Promise<Expected[]> {
  const { test, validation } = data.dataset.splits;
  const split = test.size > 0 ? test : validation;
  const found: Expected[] = [];
  const session = await openClassifier(run.engine, file);
  try {
    for (const batch of spreadBatches(split)) {
      const { logits } = await session.run(takenFeeds(session, batch.columns), { logits: null });
      for (let row = 0; row < batch.filled; row++) {
        const ordinal = batch.ordinals[row] as number;
        const input = data.readerInput(split, ordinal);
        if (input) found.push({ input, ordinal, probabilities: softmaxRow(logits as Tensor, row) });
      }
    }
  } finally {
    await session.release();
  }
  return mixed(found);
}

/** Some samples of every bucket, evenly spaced, by the share of the bucket in the split. */
export function* spreadBatches(split: Split): Generator<Batch> {
  for (const [bucket, { size }] of split.buckets.entries()) {
    const count = Math.min(size, Math.ceil((SAMPLES * size) / split.size));
    if (count === 0) continue;
    const indices = Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
    yield split.readBatch(bucket, indices, count);
  }
}

/** In an order that puts short and long samples into one batch. */
export function mixed<T>(samples: readonly T[]): T[] {
  const stride = Math.ceil(samples.length / ROWS);
  return Array.from({ length: stride }, (_, first) =>
    samples.filter((_sample, i) => i % stride === first),
  ).flat();
}

function softmaxRow({ data, dims }: Tensor, row: number): Float64Array {
  const classes = dims[1] as number;
  const values = (data as Float32Array).subarray(row * classes, (row + 1) * classes);
  const most = values.reduce((a, b) => Math.max(a, b));
  const exps = Float64Array.from(values, (value) => Math.exp(value - most));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / sum);
}
