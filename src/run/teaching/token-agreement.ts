import { type Batch, columnOf } from '../../data/batch.ts';
import { SEQUENCE } from '../../data/columns.ts';
import { Agreement, type AgreementSummary } from '../../knowledge/agreement.ts';
import type { Head } from '../../targets/head.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import { bucketBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openLabeller } from './ask-teacher.ts';

/** Tokens that are compared: a share of 98 % is known to 0.6 points. */
const TOKENS = 2048;
/** Texts at once: the logits of both models about a batch are in memory. */
const ROWS = 16;

/**
 * How often two forms of a language model find the same token likeliest, on the tokens that validation texts ask for, and how far
 * their distributions are apart. `samples` are tokens.
 */
export async function tokenAgreement(
  run: Pick<RunContext, 'engine' | 'checkInterrupted' | 'emit'>,
  { heads, dataset, task }: Pick<TaskData, 'heads' | 'dataset' | 'task'>,
  { file, other }: { readonly file: string; readonly other: string },
): Promise<AgreementSummary> {
  const { output, labels } = heads[0] as Head;
  const open = (path: string) => openLabeller(run, task, path, path);
  const reference = await open(file);
  let found: Teacher | undefined;
  try {
    found = await open(other);
    let agreement: Agreement | undefined;
    let tokens = 0;
    for (const batch of batchesOfAllLengths(dataset.splits.validation)) {
      if (tokens >= TOKENS) break;
      run.checkInterrupted();
      const said = await Promise.all(
        [reference, found].map(async (teacher) => (await teacher.label(batch, [output]))[output]),
      );
      const [expected, own] = said as [Float32Array, Float32Array];
      const places = batch.filled * (batch.sizes[SEQUENCE] as number);
      const width = expected.length / places;
      agreement ??= new Agreement(width);
      const next = columnOf(batch, labels).data as Int32Array;
      for (let at = 0; at < places && tokens < TOKENS; at++) {
        if ((next[at] as number) < 0) continue;
        agreement.add(
          expected.subarray(at * width, (at + 1) * width),
          own.subarray(at * width, (at + 1) * width),
        );
        tokens++;
      }
      run.emit({
        type: 'progress',
        stage: 'teacher',
        task: 'comparing int8 with float32',
        done: tokens,
        total: TOKENS,
        unit: 'tokens',
      });
    }
    return agreement?.summary() ?? { samples: 0, top1: 0, kl: 0, worstKl: 0 };
  } finally {
    await reference.close();
    await found?.close();
  }
}

/** Batches in turns: short texts alone would say nothing of what stands far behind. */
function* batchesOfAllLengths(split: TaskData['dataset']['splits']['validation']): Generator<Batch> {
  const all = [...split.buckets.keys()].map((bucket) => bucketBatches(split, bucket, ROWS));
  for (let left = all; left.length > 0; ) {
    const rest: typeof all = [];
    for (const one of left) {
      const { value, done } = one.next();
      if (done) continue;
      rest.push(one);
      yield value;
    }
    left = rest;
  }
}
