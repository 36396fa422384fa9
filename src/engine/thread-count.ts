import { LimbeckError } from '../errors.ts';
import { availableThreads, ENVIRONMENT } from '../platform/machine.ts';

/** The environment variable that says how many threads an operator may use. */
export const THREADS_VARIABLE = 'LIMBECK_THREADS';

/**
 * Threads inside one operator where no option says: LIMBECK_THREADS, or the cores that this process may use. Several
 * processes on one machine get more done with a thread or two each than with all cores each (docs/performance.md).
 *
 * @throws LimbeckError `engine.threads` where the variable is no whole number from 1 on.
 */
export function defaultThreads(
  environment: Readonly<Record<string, string | undefined>> = ENVIRONMENT,
): number {
  const asked = environment[THREADS_VARIABLE];
  if (asked === undefined || asked === '') return availableThreads();
  if (!/^[1-9]\d{0,3}$/.test(asked)) {
    throw new LimbeckError(
      'engine.threads',
      `${THREADS_VARIABLE} is '${asked}', which is no number of threads`,
      {
        remedy: `Set it to a whole number from 1 to 9999, or unset it: then ${availableThreads()} are used here.`,
      },
    );
  }
  return Number(asked);
}

/** What libuv has threads for, unless told otherwise: calls from JavaScript to native code wait in them. */
const MOST_RUNS = 4;

/** How runs that are made at once share some threads: as many as there are threads, with one each, while there are few. */
export function sharedThreads(threads: number): { readonly runsAtOnce: number; readonly threads: number } {
  const runsAtOnce = Math.min(threads, MOST_RUNS);
  return { runsAtOnce, threads: Math.floor(threads / runsAtOnce) };
}
