import { STARTS } from '../gates/measure-runtime.ts';
import type { ReadyRuntime } from '../gates/require-runtimes.ts';
import { SPEED_SECONDS } from '../measuring/measure-speed.ts';
import type { PlanningContext } from './planning-context.ts';

/**
 * The seconds that the bounds of runtimes take: each start of a runtime took as long as it did just now, and is timed as long as
 * it is going to be.
 *
 * @param answering seconds in which the student answers the test split here; a browser takes no less
 */
export function gateSeconds(
  { options }: Pick<PlanningContext, 'options'>,
  runtimes: readonly ReadyRuntime[],
  answering: number,
): number {
  // As long again for the calls that are not counted.
  const timing = 2 * (options.timingSeconds ?? SPEED_SECONDS);
  return runtimes.reduce((sum, { bounds, started }) => {
    const isTimed = bounds.p50 !== undefined || bounds.p90 !== undefined;
    const isAsked = bounds.metric !== undefined || !isTimed;
    return (
      sum + (isTimed ? STARTS * (started.seconds + timing) : 0) + (isAsked ? started.seconds + answering : 0)
    );
  }, 0);
}

/** `wasm and node for export.gate: 21 s`; empty where it asks for nothing. */
export function gateNote(runtimes: readonly ReadyRuntime[], seconds: number): string {
  if (runtimes.length === 0) return '';
  return `${runtimes.map(({ on }) => on).join(' and ')} for export.gate: ${seconds.toFixed(0)} s`;
}
