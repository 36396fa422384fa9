import { availableThreads } from '../../platform/machine.ts';

/** More processes than threads would only wait for each other, and each takes some 60 MB. */
export const DECODERS_AT_ONCE = Math.min(4, availableThreads());

let free = DECODERS_AT_ONCE;
const waiting: (() => void)[] = [];

/**
 * Does `work`, which decodes one small file in a process of its own, when it is its turn: rows are read many at once, and not
 * every one of them can have a process. Not for a file that others are read out of meanwhile, for those would wait for it.
 */
export async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}
