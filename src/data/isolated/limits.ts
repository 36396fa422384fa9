import { totalBytes } from '../../platform/machine.ts';

/** What the decoding of one file may take, before it is taken for hostile or damaged. */
export interface Limits {
  /** Resident memory of the decoding process. */
  readonly memoryBytes: number;
  /** Before the first piece of its result, and from each to the next. */
  readonly seconds: number;
}

/** No file may take more of the machine's memory. */
export const MOST_OF_MEMORY = 0.75;
/**
 * Seconds in which a process has to begin. It takes half a second, but on a machine with much else to do a sound file must not
 * be taken for a damaged one because of that.
 */
export const SECONDS_TO_BEGIN = 120;

const MEMORY = { least: 512 * 2 ** 20, perByte: 32 };
const TIME = { least: 10, bytesPerSecond: 2 * 2 ** 20 };

/**
 * Limits for a file of a size: what a real file of it needs, many times over, and little for a small file that was made to
 * become large.
 */
export function limitsFor(fileBytes: number): Limits {
  return {
    memoryBytes: Math.min(MEMORY.least + MEMORY.perByte * fileBytes, MOST_OF_MEMORY * totalBytes()),
    seconds: TIME.least + fileBytes / TIME.bytesPerSecond,
  };
}
