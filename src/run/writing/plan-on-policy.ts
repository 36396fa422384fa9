import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { OnPolicyOptions } from '../../recipe/on-policy.ts';
import type { Head } from '../../targets/head.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import type { MetricsRow } from '../../train/early-stopping.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { mainMetric } from '../heads/head-metrics.ts';
import { OnPolicyBatches } from './on-policy-batches.ts';
import { pleasesAlone } from './pleasing-alone.ts';
import { endIdsOf } from './writer.ts';

/** A training some of whose batches the student writes: what of its plan that changes. */
export function planOnPolicy(
  run: RunContext,
  data: TaskData,
  {
    options,
    batches,
    judge,
    steps,
  }: {
    /** Of the whole training. */
    readonly steps: number;
    readonly options: OnPolicyOptions;
    readonly batches: BatchSource;
    readonly judge: () => Promise<Teacher>;
  },
) {
  const { engine, recipe } = run;
  const tokenizer = data.task.tokenizer as Tokenizer;
  const { labels } = data.heads[0] as Head;
  const written = new OnPolicyBatches({
    options,
    engine,
    batches,
    split: data.dataset.splits.train,
    labels,
    paddedLeft: tokenizer.frame.paddingSide === 'left',
    maxLength: recipe.data.maxLength,
    endIds: endIdsOf(tokenizer),
    seed: recipe.seed,
    firstStep: Math.ceil(options.after * steps),
    judge,
    signal: run.options.signal,
    warn: (message) => run.warn(message),
  });
  return {
    batches: written,
    controls: [written],
    note: () => written.note(),
    ...(options.patience !== false && { isLost: lossOf(run, data, options.patience) }),
  };
}

/** Whether the training gave up its task for its teacher, told once. */
function lossOf(run: RunContext, data: TaskData, patience: number): (rows: readonly MetricsRow[]) => boolean {
  const { name, title, better } = mainMetric(data.heads);
  // As rows of metrics are named.
  const validation = `validation/${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()}`;
  let told = false;
  return (rows) => {
    const isLost = pleasesAlone(rows, { validation, better, patience });
    if (isLost && !told) {
      told = true;
      run.warn(
        `the training loss fell while ${title} on the validation split got worse ${patience} times in a row: the training stopped (training.onPolicy.patience)`,
      );
    }
    return isLost;
  };
}
