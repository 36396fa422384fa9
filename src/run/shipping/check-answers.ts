import { ATTENTION_MASK } from '../../data/columns.ts';
import { defaultThreads } from '../../engine/thread-count.ts';
import { LimbeckError } from '../../errors.ts';
import { openAnswers } from '../../export/own-reader.ts';
import { fileOf, type Precision } from '../../export/precisions.ts';
import type { ReaderInput } from '../../export/shipped-reader.ts';
import { elementCount, type Tensor } from '../../onnx/tensor.ts';
import { basename } from '../../platform/paths.ts';
import type { ShippedCheck } from '../../report/result.ts';
import { isByToken } from '../../targets/features.ts';
import type { Head } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openClassifier } from '../measuring/open-classifier.ts';
import { mixed, spreadBatches } from './check-shipped.ts';

const SINGLES = 16;
const ROWS = 8;

/**
 * How far an answer may lie from the measured one, as a part of the answers' spread: a batch is summed in another order than
 * a sample alone, and in int8 that moves a value to its neighbour.
 */
const TOLERANCE = { f32: 1e-3, int8: 0.15, q4: 1e-3, fp16: 0.02 } as const satisfies Record<
  Precision,
  number
>;

/** The part of sentences that may be others. */
const MOST_OTHER = 0.1;

/** A sample as a reader gets it, and what was measured of it, by output. */
interface Expected {
  readonly input: ReaderInput;
  readonly ordinal: number;
  readonly answers: Readonly<Record<string, Float32Array>>;
}

/**
 * Reads the shipped folder as its users do and compares every output with what is measured, a sample at a time and in
 * batches of mixed lengths, in every precision that ships.
 *
 * @throws LimbeckError `export.unreadable`, `export.other-answers` with the first sample that is answered otherwise
 */
export async function checkAnswers(
  run: Pick<RunContext, 'engine' | 'checkInterrupted'>,
  data: TaskData,
  folder: string,
  { precisions }: { readonly precisions: readonly Precision[] },
): Promise<ShippedCheck> {
  const files: string[] = [];
  let samples = 0;
  for (const precision of precisions) {
    run.checkInterrupted();
    const name = fileOf(precision);
    const where = `${basename(folder)}/${name}`;
    const expected = await measuredAnswers(run, data, `${folder}/${name}`);
    files.push(name);
    samples = expected.length;
    // Of such samples no reader knows how to prepare them: the file has answered the columns of the data set.
    if (samples === 0) continue;
    const tolerances = new Map(
      data.heads.map(({ output }) => [
        output,
        TOLERANCE[precision] * Math.max(1e-6, spreadOf(expected, output)),
      ]),
    );
    /** Of each sentence that was read, whether it is the measured one. */
    const told: boolean[] = [];
    try {
      const reader = await openAnswers(run.engine, { folder, precision, threads: defaultThreads() });
      try {
        const batches = expected.slice(0, SINGLES).map((sample) => [sample]);
        for (let from = 0; from < expected.length; from += ROWS)
          batches.push(expected.slice(from, from + ROWS));
        for (const batch of batches) {
          const { outputs, starts } = await reader.answers(batch.map(({ input }) => input));
          batch.forEach((sample, row) => {
            const at = { row, start: starts[row] as number };
            for (const head of data.heads) {
              const found = outputs[comparedOutput(head)];
              if (head.written) told.push(sameWords(sample, row, head, found));
              else compare(sample, at, head, found, tolerances.get(head.output) as number, where);
            }
          });
        }
        if (precision === 'f32') requireSameSentences(told, where);
      } finally {
        await reader.close();
      }
    } catch (cause) {
      if (cause instanceof LimbeckError) throw cause;
      throw new LimbeckError(
        'export.unreadable',
        `the shipped student cannot be read: ${(cause as Error).message}`,
        {
          where,
          remedy: "Check the teacher's tokenizer files, from which those of the student are made.",
          cause,
        },
      );
    }
  }
  return { reader: samples > 0 ? "Limbeck's own reader" : 'ONNX Runtime', samples, files };
}

/** The output by which what ships is compared: of sentences what is written, for a reader has no true words. */
function comparedOutput({ output, written }: Head): string {
  return written ?? output;
}

function sameWords({ answers }: Expected, row: number, { output }: Head, found: Tensor | undefined): boolean {
  const expected = answers[output] as Float32Array;
  const own = found?.data as Int32Array | undefined;
  return expected.every((word, i) => word === own?.[row * expected.length + i]);
}

/** A batch is summed in another order than a sample alone: where two words are as likely, the other one may be written. */
function requireSameSentences(told: readonly boolean[], where: string): void {
  const other = told.filter((isSame) => !isSame).length;
  if (other <= MOST_OTHER * told.length) return;
  throw new LimbeckError(
    'export.other-answers',
    `the shipped student writes other sentences than measured: ${other} of ${told.length}`,
    {
      where,
      remedy: 'What ships would not be what was measured, so the run stops. Report it with the recipe.',
    },
  );
}

function compare(
  { answers, ordinal, input }: Expected,
  { row, start }: { readonly row: number; readonly start: number },
  { output, features }: Head,
  found: Tensor | undefined,
  tolerance: number,
  where: string,
): void {
  const expected = answers[output] as Float32Array;
  const width = found ? elementCount(found.dims.slice(1)) : 0;
  // Of tokens the reader's batch may be longer: padding is no answer, whichever side it is on.
  const padding = found && isByToken(features) ? (start * width) / (found.dims[1] as number) : 0;
  const own = (found?.data as Float32Array | undefined)?.subarray(row * width + padding, (row + 1) * width);
  const wrong = expected.findIndex((value, i) => !(Math.abs(value - (own?.[i] ?? Number.NaN)) <= tolerance));
  if (wrong < 0) return;
  const sample = 'text' in input ? JSON.stringify(input.text.slice(0, 60)) : `sample ${ordinal + 1}`;
  throw new LimbeckError(
    'export.other-answers',
    `the shipped student answers otherwise than measured: ${own?.[wrong]?.toPrecision(4) ?? 'nothing'} instead of ${expected[wrong]?.toPrecision(4)}`,
    {
      where: `${where}, value ${wrong} of ${output} for test sample ${ordinal}, ${sample}`,
      remedy:
        'What ships would not be what was measured, so the run stops. Most often the tokenizer does something that the reader does not know; warnings at the start of the run say what.',
    },
  );
}

/** What the file that was written answers to samples from all over the test split, fed as it is measured. */
async function measuredAnswers(
  run: Pick<RunContext, 'engine'>,
  data: TaskData,
  file: string,
): Promise<Expected[]> {
  const { test, validation } = data.dataset.splits;
  const split = test.size > 0 ? test : validation;
  const session = await openClassifier(run.engine, file);
  const found: Expected[] = [];
  try {
    const fetches = Object.fromEntries(data.heads.map((head) => [comparedOutput(head), null]));
    for (const batch of spreadBatches(split)) {
      const said = await session.run(takenFeeds(session, batch.columns), fetches);
      for (let row = 0; row < batch.filled; row++) {
        const ordinal = batch.ordinals[row] as number;
        const input = data.readerInput(split, ordinal);
        if (!input) continue;
        const answers = data.heads.map((head) => [
          head.output,
          rowOf(head, said[comparedOutput(head)] as Tensor, row, batch.columns, input),
        ]);
        found.push({ input, ordinal, answers: Object.fromEntries(answers) as Record<string, Float32Array> });
      }
    }
  } finally {
    await session.release();
  }
  return mixed(found);
}

/** A row's answer; of tokens without those that only pad. */
function rowOf(
  { features }: Head,
  { data, dims }: Tensor,
  row: number,
  columns: Readonly<Record<string, Tensor>>,
  input: ReaderInput,
): Float32Array {
  const width = elementCount(dims.slice(1));
  const own = (data as Float32Array).slice(row * width, (row + 1) * width);
  const mask = isByToken(features) ? columns[ATTENTION_MASK] : undefined;
  if (!mask) return own;
  const length = mask.dims[1] as number;
  const places = (mask.data as BigInt64Array).subarray(row * length, (row + 1) * length);
  const tokens = places.reduce((sum, value) => sum + Number(value), 0);
  const start = Math.max(0, places.indexOf(1n));
  const compared = 'tokens' in input ? Math.min(tokens, input.tokens as number) : tokens;
  return own.subarray((start * width) / length, ((start + compared) * width) / length);
}

/** The standard deviation of an output's values. */
function spreadOf(expected: readonly Expected[], output: string): number {
  let [count, sum, squares] = [0, 0, 0];
  for (const { answers } of expected)
    for (const value of answers[output] as Float32Array) {
      count++;
      sum += value;
      squares += value * value;
    }
  const mean = sum / Math.max(1, count);
  return Math.sqrt(Math.max(0, squares / Math.max(1, count) - mean * mean));
}
