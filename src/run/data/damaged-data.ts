import type { RunOptions } from '../context/run-options.ts';

/** Says that a prepared data set was damaged (or written by another version), and is prepared again. */
export function tellDamagedData({ onEvent }: Pick<RunOptions, 'onEvent'>): (folder: string) => void {
  return (folder) =>
    onEvent?.({
      type: 'log',
      level: 'warn',
      message: `the prepared data in ${folder} are damaged or of another version of Limbeck; they are prepared again`,
    });
}
