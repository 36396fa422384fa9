import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** A Node process that is running, with what it has written so far. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out(): string;
  err(): string;
  /** Waits until what it writes matches; false when it ends before. */
  printed(pattern: RegExp): Promise<boolean>;
}

/** Starts a script as a process of its own, in `folder`, without colours. */
export function launch(script: string, args: readonly string[], folder: string): Running {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: folder,
    env: { ...env, NO_COLOR: '1' },
  });
  let out = '';
  let err = '';
  const watchers = new Set<() => void>();
  const heard = () => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.on('data', (chunk) => {
    out += chunk;
    heard();
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
    heard();
  });
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, out, err }));
  return {
    child,
    ended,
    out: () => out,
    err: () => err,
    async printed(pattern) {
      let found: () => void = () => {};
      const seen = new Promise<boolean>((resolve) => {
        found = () => {
          if (pattern.test(out) || pattern.test(err)) resolve(true);
        };
      });
      watchers.add(found);
      found();
      const result = await Promise.race([seen, ended.then(() => pattern.test(out) || pattern.test(err))]);
      watchers.delete(found);
      return result;
    },
  };
}

/** What a command with --json wrote: an object from each line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
