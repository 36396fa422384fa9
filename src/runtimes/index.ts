import { runInBrowser } from './in-browser.ts';
import { runInNode } from './in-node.ts';
import type { Assignment, Ran, RuntimeName } from './measurement.ts';

export interface RunLimits {
  /** After so many seconds the runtime is ended. */
  readonly mostSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs an assignment in the runtime named; see `runInNode` and `runInBrowser` for what they throw. */
export function runOn(runtime: RuntimeName, assignment: Assignment, limits: RunLimits): Promise<Ran> {
  return runtime === 'node' ? runInNode(assignment, limits) : runInBrowser(runtime, assignment, limits);
}
