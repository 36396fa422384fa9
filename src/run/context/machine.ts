import { availableThreads, peakBytes, processorName, RUNTIME } from '../../platform/machine.ts';
import type { Machine } from '../../report/result.ts';

/** The machine that a run's numbers hold for. */
export function describeMachine(): Machine {
  return {
    cpu: processorName(),
    cores: availableThreads(),
    node: RUNTIME,
    memoryPeakBytes: peakBytes(),
  };
}
