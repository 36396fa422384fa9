import { availableParallelism, cpus } from 'node:os';
import type { Machine } from '../report/result.ts';

/** The machine that a run's numbers hold for. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    // maxRSS is in KiB on every platform (libuv converts).
    memoryPeakBytes: process.resourceUsage().maxRSS * 1024,
  };
}
