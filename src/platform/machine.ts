import { nodeModule } from './node-modules.ts';

// What is known of the machine and of the process: in a browser little, and nothing that would tell who uses it.

const os = nodeModule('node:os');
const node = os && process;

/** The number of this process, for names that no other one has; a page has 1. */
export const PROCESS_ID: number = node?.pid ?? 1;

/** `node v20.20.2`, `browser`. */
export const RUNTIME: string = node ? node.version : 'browser';

/** Operating system and processor: `linux-x64`. */
export const PLATFORM: string = node ? `${node.platform}-${node.arch}` : 'browser';

export function availableThreads(): number {
  return os?.availableParallelism() ?? navigator.hardwareConcurrency ?? 1;
}

/** The processor's name, or `unknown`. */
export function processorName(): string {
  return os?.cpus()[0]?.model.trim() ?? 'unknown';
}

export function hostName(): string {
  return os?.hostname() ?? 'browser';
}

/** The folder that relative paths start at. */
export function workingFolder(): string {
  return node?.cwd() ?? '/';
}

/** The folder of the person's own files. */
export function homeFolder(): string {
  return os?.homedir() ?? '/';
}

/** The folder for what is thrown away. */
export function temporaryFolder(): string {
  return os?.tmpdir() ?? '/tmp';
}

/** The variables of the environment; a page has none. */
export const ENVIRONMENT: Readonly<Record<string, string | undefined>> = node?.env ?? {};

/** The machine's memory in bytes; what no page is given, where nobody tells. */
export function totalBytes(): number {
  return os?.totalmem() ?? 4 * 2 ** 30;
}

/** Resident memory in bytes; 0 where nobody tells. */
export function residentBytes(): number {
  return node?.memoryUsage.rss() ?? 0;
}

/** Bytes that are free on the disk of a folder; undefined where nobody tells. */
export function freeBytes(folder: string): number | undefined {
  const status = nodeModule('node:fs')?.statfsSync(folder);
  return status && status.bavail * status.bsize;
}

/** Memory that is free: of the machine, or of the container where that has a smaller limit; undefined where nobody tells. */
export function freeMemory(): number | undefined {
  if (!os || !node) return undefined;
  const limit = node.constrainedMemory?.() ?? 0;
  const free = node.availableMemory?.() ?? os.freemem();
  return limit > 0 ? Math.min(limit, free) : free;
}

/** The most resident memory so far, in bytes; 0 where nobody tells. */
export function peakBytes(): number {
  // maxRSS is in KiB on every platform (libuv converts).
  return node ? node.resourceUsage().maxRSS * 1024 : 0;
}

/** The processor time that this process has taken, in milliseconds; in a browser the wall clock. */
export function processorMilliseconds(): number {
  if (!node) return performance.now();
  const { user, system } = node.cpuUsage();
  return (user + system) / 1000;
}
