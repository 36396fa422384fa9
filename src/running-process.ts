import { nodeModule } from './platform/node-modules.ts';

const fs = nodeModule('node:fs');

/** Whether a process with this id is running on this machine, also one of another user; false for what is no id. */
export function isRunning(pid: number): boolean {
  // 0 and negative numbers would ask about whole groups of processes, our own among them.
  if (!fs || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process began, as a text to compare: ids are given again after a while, and after every restart of a machine or
 * container. Undefined where the system does not tell (only Linux does) or there is no such process.
 */
export function processStart(pid: number): string | undefined {
  if (!fs) return undefined;
  try {
    const status = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the program's name, may hold anything; the 22nd is the start in ticks since the machine's.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}
