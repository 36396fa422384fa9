import type { Progress } from './progress.ts';

/** Every event as one line of JSON. */
export function jsonProgress(write: (text: string) => void): Progress {
  return {
    onEvent: (event) => write(`${JSON.stringify(event)}\n`),
    close: () => {},
  };
}
