import type { Engine } from '../../engine/engine.ts';
import { defaultThreads } from '../../engine/thread-count.ts';
import { PLATFORM, processorName } from '../../platform/machine.ts';

/** What times hold for: processor, system, threads and engine. */
export function machineTitle(engine: Pick<Engine, 'title'>): string {
  return `${processorName()} (${PLATFORM}), ${defaultThreads()} threads, ${engine.title}`;
}
