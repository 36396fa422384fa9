import { setTimeout } from 'node:timers/promises';
import { LimbeckError } from '../../errors.ts';
import type { RunResult } from '../../report/result.ts';
import type { LimbeckApi } from '../../run/api.ts';
import type { RunOptions } from '../../run/context/run-options.ts';
import { start } from '../start.ts';

// The command line over a library that takes its time or fails, for tests that need a process: the first part of
// the recipe's name says what it does.

const model = {
  metrics: { accuracy: 0.6, macroF1: 0.5 },
  accuracy: 0.6,
  macroF1: 0.5,
  parameters: 10,
  bytes: 100,
  latencyMs: { one: 1, thirtyTwo: 2 },
  throughput: 1000,
};

async function count(total: number, { onEvent, signal }: RunOptions, heedsSignal: boolean): Promise<void> {
  for (let done = 0; done < total; done++) {
    onEvent?.({ type: 'progress', stage: 'train', task: 'training', done, total, unit: 'steps' });
    await setTimeout(20);
    if (heedsSignal && signal?.aborted) throw new LimbeckError('run.interrupted', 'stopped');
  }
}

const api: Pick<LimbeckApi, 'distill'> = {
  async distill({ name }, options) {
    options.onEvent?.({ type: 'stage-start', stage: 'train', title: 'training' });
    const [behaviour] = name.split('-');
    if (behaviour === 'slow') await count(1000, options, true);
    if (behaviour === 'deaf') await count(1000, options, false);
    if (behaviour === 'bug') throw new TypeError('undefined is not a tensor');
    await count(3, options, true);
    options.onEvent?.({ type: 'stage-end', stage: 'train', seconds: 1, summary: 'trained' });
    const passed = behaviour !== 'gate';
    const result = {
      metrics: [{ name: 'accuracy', title: 'accuracy', better: 'higher', format: 'percent' }],
      teacher: model,
      student: model,
      studentInt8: model,
      baseline: null,
      retention: 1,
      speedup: 1,
      speedupInt8: 1,
      seconds: { total: 1 },
      teacherCalls: 0,
      teacherCallsSaved: 0,
      seed: 1,
      gate: { maxDrop: 0.01, drop: passed ? 0 : 0.05, passed },
    };
    return result as unknown as RunResult;
  },
};

await start(api as LimbeckApi);
