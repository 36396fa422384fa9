import type { Terminal } from '../terminal.ts';
import { jsonProgress } from './json-progress.ts';
import { liveProgress } from './live-progress.ts';
import { plainProgress } from './plain-progress.ts';
import type { Progress } from './progress.ts';

/** The display that fits: JSON when asked for, bars where they can move, lines elsewhere. */
export function createProgress(terminal: Terminal, json: boolean): Progress {
  if (json) return jsonProgress(terminal.out);
  if (!terminal.live) return plainProgress(terminal.err);
  return liveProgress({ write: terminal.err, columns: terminal.columns, colors: terminal.errColors });
}
