import { LimbeckError } from './errors.ts';
import { nodeModule } from './platform/node-modules.ts';

const vm = nodeModule('node:vm');
const limited = vm && { context: vm.createContext({ work: undefined }), call: new vm.Script('work()') };

/**
 * Runs some work of this thread, and stops it when it takes too long: also a regular expression that never ends, which
 * nothing else in JavaScript can stop, or Ctrl+C. It costs some 0.1 ms, so it is for work that may be dangerous.
 *
 * @throws what `exceeded` makes after `seconds`; LimbeckError `run.interrupted` after Ctrl+C, of which whoever listens to it is told
 */
export function withinSeconds<T>(seconds: number, work: () => T, exceeded: () => Error): T {
  // A page that hangs is closed by its user.
  if (!limited) return work();
  const { context, call } = limited;
  const before = context.work;
  context.work = work;
  try {
    return call.runInContext(context, { timeout: Math.ceil(seconds * 1000), breakOnSigint: true }) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw exceeded();
    if (code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
    // Listeners do not hear the signal while a script runs.
    if (!process.emit('SIGINT')) process.kill(process.pid, 'SIGINT');
    throw new LimbeckError('run.interrupted', 'stopped as asked; everything computed so far is kept', {
      remedy: 'Run the same command again: it goes on from here.',
      cause: error,
    });
  } finally {
    context.work = before;
  }
}
