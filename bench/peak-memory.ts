import { readFileSync } from 'node:fs';

/**
 * The largest size that this process has had, in bytes. On Linux from /proc: the `maxRSS` of getrusage counts what the
 * parent had before the program started, so that a small model after a large one looked as large.
 */
export function peakBytes(): number {
  return linuxPeak() ?? 1024 * process.resourceUsage().maxRSS;
}

function linuxPeak(): number | undefined {
  try {
    const line = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return line ? 1024 * Number(line[1]) : undefined;
  } catch {
    return undefined;
  }
}
