import { LimbeckError } from '../errors.ts';
import { packageFile, requireNodeModule } from '../platform/node-modules.ts';
import type { Assignment, Ran } from './measurement.ts';
import { requireAnswer, runtimeProblem } from './runtime-problem.ts';

type Message = { readonly result: Ran } | { readonly problem: string };

/**
 * Runs an assignment with onnxruntime-node, in a process of its own.
 *
 * @throws LimbeckError `measure.model` where the runtime does not take the model, `measure.too-long` after `mostSeconds`
 */
export function runInNode(
  assignment: Assignment,
  { mostSeconds, signal }: { readonly mostSeconds: number; readonly signal?: AbortSignal | undefined },
): Promise<Ran> {
  const { fork } = requireNodeModule('node:child_process');
  const { fileURLToPath, pathToFileURL } = requireNodeModule('node:url');
  const isSource = import.meta.url.endsWith('.ts');
  const module = new URL(`./node-child${isSource ? '.ts' : '.js'}`, import.meta.url);
  const child = fork(fileURLToPath(module), [], {
    execArgv: isSource ? ['--import', pathToFileURL(packageFile('tsx', import.meta.url)).href] : [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const { promise, resolve, reject } = withResolvers<Ran>();
  child.once('message', (message) => {
    const answer = message as Message;
    if ('result' in answer) resolve(answer.result);
    else reject(runtimeProblem('node', answer.problem));
  });
  child.once('error', reject);
  child.once('exit', (code, ended) => {
    reject(
      new LimbeckError(
        'measure.model',
        `the process of the runtime ended before it answered (${ended ?? code})`,
        {
          where: 'on node',
          remedy: 'Most often memory ran out: look how large the model is for this machine.',
        },
      ),
    );
  });
  child.send(assignment, (error) => error && reject(error));
  return requireAnswer('node', promise, mostSeconds, signal).finally(() => child.kill('SIGKILL'));
}

/** As Promise.withResolvers, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((keep, fail) => {
    resolve = keep;
    reject = fail;
  });
  return { promise, resolve, reject };
}
