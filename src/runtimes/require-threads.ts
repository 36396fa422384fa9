import { LimbeckError } from '../errors.ts';
import { availableThreads } from '../platform/machine.ts';

/**
 * Refuses more threads than the machine has: they would take turns, and times would be of nothing that exists.
 *
 * @throws LimbeckError `measure.threads`
 */
export function requireThreads(threads: number, where: string): void {
  if (threads <= availableThreads()) return;
  throw new LimbeckError(
    'measure.threads',
    `this machine has ${availableThreads()} threads, not ${threads}`,
    { where, remedy: 'Ask for no more than it has.' },
  );
}
