import { relative } from 'node:path';
import type { TokenBatch } from '../../data/batch.ts';
import type { TextDataset } from '../../data/text-dataset.ts';
import type { TokenSplit } from '../../data/token-split.ts';
import type { Session } from '../../engine/engine.ts';
import { modelBytes } from '../../export/hugging-face.ts';
import { isFloat } from '../../onnx/data-type.ts';
import type { Graph } from '../../onnx/graph.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';
import {
  accuracy,
  type Confusion,
  confusionCounts,
  countAnswer,
  createConfusion,
  macroF1,
} from '../../report/confusion.ts';
import { type ComparisonResult, createComparison } from '../../report/model-comparison.ts';
import type { Answer } from '../../report/report-data.ts';
import type { ModelResult } from '../../report/result.ts';
import { readLogits } from '../logits.ts';
import { measureSpeed, type Speed, type SpeedInputs } from '../measure-speed.ts';
import { type RunContext, runStage } from '../run-context.ts';
import { readKnowledge, splitBatches, tokenFeeds } from '../text-batches.ts';
import type { Shipped } from './export.ts';
import { labelWith } from './label.ts';
import type { TrainedTeacher } from './teacher.ts';

/** What the test split said of every file that ships. */
export interface Evaluations {
  readonly teacher: ModelResult;
  readonly student: ModelResult;
  readonly studentInt8: ModelResult | null;
  readonly baseline: ModelResult | null;
  readonly comparison: ComparisonResult;
}

export const EVALUATION_BATCH = 64;
const SPEED_CALLS = 50;

/**
 * Measures the files, reloaded from disk, on the test split: answers and speed. The teacher's answers are kept in the
 * store like all others. Every model is timed on the same texts, one after another.
 */
export function evaluateStage(
  run: RunContext,
  inputs: {
    readonly dataset: TextDataset;
    readonly teacher: TrainedTeacher;
    readonly shipped: Shipped;
  },
): Promise<Evaluations> {
  const { dataset, teacher, shipped } = inputs;
  return runStage(run, 'evaluate', 'Measure on the test split', async () => {
    const { test } = dataset.splits;
    const classes = dataset.labels.length;
    const { space } = await labelWith(run, teacher, teacher.file, {
      stage: 'evaluate',
      split: test,
      task: 'asking the teacher',
    });
    const files = { student: shipped.student, studentInt8: shipped.studentInt8, baseline: shipped.baseline };
    const sessions = new Map<string, Session>();
    try {
      for (const [name, file] of Object.entries(files)) {
        if (file) sessions.set(name, await run.engine.load(file));
      }
      const comparison = createComparison({ classes, seed: run.recipe.seed });
      const confusions = new Map(
        ['teacher', ...sessions.keys()].map((name) => [name, createConfusion(classes)]),
      );
      let done = 0;
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        const answers = new Map<string, Answer[]>();
        answers.set(
          'teacher',
          answersOf(readKnowledge(space, batch.keys, batch.rows), batch, confusions.get('teacher')!),
        );
        for (const [name, session] of sessions) {
          const { logits } = await session.run(tokenFeeds(batch), { logits: null });
          answers.set(name, answersOf(logits, batch, confusions.get(name)!));
        }
        for (let row = 0; row < batch.filled; row++) {
          comparison.add({
            text: test.text(batch.ordinals[row]),
            truth: batch.labels[row],
            teacher: answers.get('teacher')![row],
            student: answers.get('student')![row],
            baseline: answers.get('baseline')?.[row],
          });
        }
        done += batch.filled;
        run.emit({
          type: 'progress',
          stage: 'evaluate',
          task: 'answering',
          done,
          total: test.size,
          unit: 'texts',
        });
      }

      sessions.set('teacher', await run.engine.load(teacher.file));
      const speeds = await measureSpeeds(run, sessions, test);
      const result = (name: string, file: string) =>
        modelResult(run, file, confusions.get(name)!, speeds.get(name)!);
      const value: Evaluations = {
        teacher: result('teacher', teacher.file),
        student: result('student', shipped.student),
        studentInt8: shipped.studentInt8 ? result('studentInt8', shipped.studentInt8) : null,
        baseline: shipped.baseline ? result('baseline', shipped.baseline) : null,
        comparison: comparison.result(),
      };
      return { value, summary: summarize(value) };
    } finally {
      for (const session of sessions.values()) await session.release();
    }
  });
}

/** Measures classifier files on the test split: answers and speed, without a teacher to compare with. */
export function evaluateFiles<Name extends string>(
  run: RunContext,
  dataset: TextDataset,
  files: Readonly<Record<Name, string | null>>,
): Promise<Record<Name, ModelResult | undefined>> {
  return runStage(run, 'evaluate', 'Measure on the test split', async () => {
    const { test } = dataset.splits;
    const entries = (Object.entries(files) as [Name, string | null][]).filter(
      ([, file]) => file !== null,
    ) as [Name, string][];
    const sessions = new Map<Name, Session>();
    try {
      for (const [name, file] of entries) sessions.set(name, await run.engine.load(file));
      const confusions = new Map(entries.map(([name]) => [name, createConfusion(dataset.labels.length)]));
      for (const batch of splitBatches(test, EVALUATION_BATCH)) {
        for (const [name, session] of sessions) {
          const { logits } = await session.run(tokenFeeds(batch), { logits: null });
          answersOf(logits, batch, confusions.get(name)!);
        }
      }
      const speeds = await measureSpeeds(run, sessions, test);
      const results = entries.map(([name, file]) => [
        name,
        modelResult(run, file, confusions.get(name)!, speeds.get(name)!),
      ]) as [Name, ModelResult][];
      return {
        value: Object.fromEntries(results) as Record<Name, ModelResult | undefined>,
        summary: results
          .map(([name, { accuracy: part }]) => `${name} ${(100 * part).toFixed(1)} %`)
          .join(', '),
      };
    } finally {
      for (const session of sessions.values()) await session.release();
    }
  });
}

function modelResult(run: RunContext, file: string, confusion: Confusion, speed: Speed): ModelResult {
  const counts = confusionCounts(confusion);
  return {
    accuracy: accuracy(counts),
    macroF1: macroF1(counts),
    parameters: parameterCount(readModelFile(file)),
    bytes: modelBytes(file),
    ...speed,
    file: relative(run.folder.path, file),
  };
}

function summarize({ teacher, student, studentInt8, baseline }: Evaluations): string {
  const percent = ({ accuracy: part }: ModelResult) => `${(100 * part).toFixed(1)} %`;
  const others = [
    `student ${percent(student)}`,
    studentInt8 && `int8 ${percent(studentInt8)}`,
    baseline && `baseline ${percent(baseline)}`,
  ];
  return [`teacher ${percent(teacher)}`, ...others.filter(Boolean)].join(', ');
}

/** The answers to a batch's samples, which all have a label in the test split; counts them on the way. */
function answersOf(logits: Tensor, batch: TokenBatch, confusion: Confusion): Answer[] {
  return Array.from(readLogits(logits, batch), ({ label, answer, confidence }) => {
    countAnswer(confusion, label, answer);
    return { label: answer, confidence };
  });
}

/** Times every model on the same calls. */
export async function measureSpeeds(
  run: Pick<RunContext, 'emit' | 'options'>,
  sessions: ReadonlyMap<string, Session>,
  split: TokenSplit,
): Promise<Map<string, Speed>> {
  const inputs: SpeedInputs = { one: [...speedCalls(split, 1)], thirtyTwo: [...speedCalls(split, 32)] };
  const speeds = new Map<string, Speed>();
  for (const [name, session] of sessions) {
    run.emit({
      type: 'progress',
      stage: 'evaluate',
      task: 'timing',
      done: speeds.size,
      total: sessions.size,
      unit: 'models',
    });
    speeds.set(name, await measureSpeed(session, inputs, run.options.timingSeconds));
  }
  return speeds;
}

/** Calls of `rows` texts taken from all over the split, cut to the longest of them as a tokenizer pads them. */
function* speedCalls(split: TokenSplit, rows: number): Generator<Record<string, Tensor>> {
  const bucketOf: number[] = [];
  split.buckets.forEach(({ size }, bucket) => {
    if (size >= rows) bucketOf.push(bucket);
  });
  const total = bucketOf.reduce((sum, bucket) => sum + split.buckets[bucket].size, 0);
  for (let call = 0; call < SPEED_CALLS && total > 0; call++) {
    // Buckets come up as often as they are full; inside one, calls are spread evenly.
    let place = Math.floor(((call + 0.5) / SPEED_CALLS) * total);
    const bucket = bucketOf.find((candidate) => {
      const { size } = split.buckets[candidate];
      if (place < size) return true;
      place -= size;
      return false;
    }) as number;
    const first = Math.min(place, split.buckets[bucket].size - rows);
    const indices = Array.from({ length: rows }, (_, row) => first + row);
    yield cutToLongest(split.readBatch(bucket, indices, rows));
  }
}

function cutToLongest({ ids, mask, rows, length }: TokenBatch): Record<string, Tensor> {
  let longest = 1;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1n) longest = Math.max(longest, (i % length) + 1);
  const cut = (values: BigInt64Array) => {
    const result = new BigInt64Array(rows * longest);
    for (let row = 0; row < rows; row++)
      result.set(values.subarray(row * length, row * length + longest), row * longest);
    return tensor('int64', [rows, longest], result);
  };
  return { input_ids: cut(ids), attention_mask: cut(mask) };
}

/** Numbers in the float (or quantised) initializers: weights, tables, scales. */
export function parameterCount(graph: Graph): number {
  let count = 0;
  for (const { type, data } of graph.initializers.values()) {
    if (isFloat(type) || type === 'int8' || type === 'uint8') count += data.length;
  }
  return count;
}
