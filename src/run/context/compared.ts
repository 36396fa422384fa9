import type { RunOptions } from './run-options.ts';

/** Whether the student is compared with what one would have without this distillation. */
export function isCompared({ baseline }: Pick<RunOptions, 'baseline'>): boolean {
  return baseline !== false;
}
