import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

const SCRIPT = new URL('pytorch.py', import.meta.url).pathname;

/** A PyTorch process that makes training steps of one model when asked. */
export interface PyTorchStep {
  readonly version: string;
  readonly parameters: number;
  /** Makes `count` steps; the milliseconds of each. */
  run(count: number): Promise<number[]>;
  /** The largest size that the process has had, in bytes. */
  peakBytes(): Promise<number>;
  end(): Promise<void>;
}

/** A Python that has PyTorch: `LIMBECK_BENCH_PYTHON`, or `python3`; undefined where there is none. */
export function pythonWithPyTorch(): string | undefined {
  const python = process.env.LIMBECK_BENCH_PYTHON ?? 'python3';
  if (python.includes('/') && !existsSync(python)) return undefined;
  return spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0 ? python : undefined;
}

/** Starts PyTorch's side of a model. */
export async function pyTorchStep(python: string, model: string, threads: number): Promise<PyTorchStep> {
  const { first, ask, end } = await pyTorchProcess(python, SCRIPT, [model, String(threads)]);
  const { version, parameters } = first as { version: string; parameters: number };
  return {
    version,
    parameters,
    run: async (count) => (await ask({ run: count })).times as number[],
    peakBytes: async () => (await ask({ memory: true })).bytes as number,
    end,
  };
}

/** A Python that answers a command with a JSON line. */
export interface PyTorchProcess {
  /** What it said when it was ready. */
  readonly first: Record<string, unknown>;
  ask(command: object): Promise<Record<string, unknown>>;
  end(): Promise<void>;
}

/** Starts a script of this folder. */
export async function pyTorchProcess(
  python: string,
  script: string,
  args: readonly string[],
): Promise<PyTorchProcess> {
  const child = spawn(python, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`PyTorch ended while it ran ${[script, ...args].join(' ')}`);
    return JSON.parse(value) as Record<string, unknown>;
  };
  return {
    first: await next(),
    ask(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return next();
    },
    end: () => ended(child),
  };
}

function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  return new Promise((resolve) => child.on('exit', () => resolve()));
}
