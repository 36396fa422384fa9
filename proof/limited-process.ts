import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a process ended that was given so much memory. */
export interface LimitedEnd {
  /** Of the process; null where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What holds a process to its memory here: a control group, or a limit of its data (private memory that can be written). */
export type Limiter = 'control group' | 'prlimit --data';

const GROUPS = '/sys/fs/cgroup/memory';

/** Whether control groups can be made here; they count everything, also pages of files that are held. */
export function limiter(): Limiter {
  const group = join(GROUPS, `limbeck-${process.pid}-probe`);
  try {
    mkdirSync(group);
    rmdirSync(group);
    return existsSync(join(GROUPS, 'memory.limit_in_bytes')) ? 'control group' : 'prlimit --data';
  } catch {
    return 'prlimit --data';
  }
}

/**
 * glibc gives freed memory back to the system only where it lies in blocks of its own: without this some 300 MB of freed weights
 * stay with the process.
 */
const GIVE_BACK = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '262144' };

/** Runs a command of Node's within so many bytes of memory; without a limit where there is none. */
export async function limitedProcess(args: readonly string[], bytes?: number): Promise<LimitedEnd> {
  const group = bytes !== undefined && limiter() === 'control group' ? makeGroup(bytes) : undefined;
  const node = [process.execPath, ...args];
  const command = group
    ? ['sh', '-c', `echo $$ > ${join(group, 'cgroup.procs')}; exec "$@"`, 'sh', ...node]
    : bytes === undefined
      ? node
      : ['prlimit', `--data=${bytes}`, ...node];
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(command[0] as string, command.slice(1), {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...GIVE_BACK },
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (piece: Buffer) => {
        stdout += piece;
      });
      child.stderr.on('data', (piece: Buffer) => {
        stderr += piece;
      });
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  } finally {
    if (group) rmdirSync(group);
  }
}

function makeGroup(bytes: number): string {
  const group = join(GROUPS, `limbeck-${process.pid}-${Date.now()}`);
  mkdirSync(group);
  writeFileSync(join(group, 'memory.limit_in_bytes'), String(bytes));
  return group;
}

/** The most resident memory that this process ever had, in bytes (VmHWM of Linux). */
export function highWaterMark(): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}
