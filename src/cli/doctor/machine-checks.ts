import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { formatBytes } from '../progress/format.ts';
import type { Check } from './check.ts';

/** The default run's needs; the same numbers stand in the README. */
const NEEDED = { node: [20, 19], memory: 1.5e9, disk: 1e9 };

export function checkNode(version = process.versions.node): Check {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [least, leastMinor] = NEEDED.node as [number, number];
  const found = `${version} (${process.platform}-${process.arch})`;
  if (major > least || (major === least && minor >= leastMinor))
    return { name: 'Node.js', status: 'ok', found };
  return {
    name: 'Node.js',
    status: 'problem',
    found,
    remedy: `Install Node.js ${NEEDED.node.join('.')} or later.`,
  };
}

export function checkCores(): Check {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const cores = availableParallelism();
  return { name: 'cores', status: 'ok', found: `${cores} of ${model}` };
}

export function checkMemory(total = memoryLimit(), free = freemem()): Check {
  const found = `${formatBytes(total)}, ${formatBytes(Math.min(free, total))} free`;
  if (total >= NEEDED.memory) return { name: 'memory', status: 'ok', found };
  const remedy = `The default run needs ${formatBytes(NEEDED.memory)}; use a smaller training.batchSize.`;
  return { name: 'memory', status: 'problem', found, remedy };
}

/** The machine's memory, or the container's limit where there is a smaller one. */
function memoryLimit(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

export async function checkDisk(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${formatBytes(free)} free in ${folder}`;
  if (free >= NEEDED.disk) return { name: 'disk', status: 'ok', found };
  const remedy = `Make room, or keep runs (--out) and the store (--store) on another disk: ${formatBytes(NEEDED.disk)} are enough for the default run.`;
  return { name: 'disk', status: 'problem', found, remedy };
}

/** Instructions that int8 models are fast with; `limbeck` runs without them, slower. */
const FAST = ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimddp', 'i8mm'];
const INT8 = new Set(['avx512_vnni', 'avx_vnni', 'amx_int8', 'asimddp', 'i8mm']);

/** Linux tells the processor's instructions in a file; undefined elsewhere. */
export async function checkInstructions(file = '/proc/cpuinfo'): Promise<Check | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : instructionsOf(text);
}

/** Reads `flags` (x86) or `Features` (Arm) of /proc/cpuinfo. */
export function instructionsOf(cpuinfo: string): Check | undefined {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1];
  if (line === undefined) return undefined;
  const flags = new Set(line.split(/\s+/));
  const found = FAST.filter((flag) => flags.has(flag));
  const name = 'instructions';
  if (found.some((flag) => INT8.has(flag))) return { name, status: 'ok', found: found.join(', ') };
  return {
    name,
    status: 'missing',
    found: found.join(', ') || 'none of the fast ones',
    remedy: 'No int8 instructions (VNNI): int8 models work, but may be no faster than f32.',
  };
}
