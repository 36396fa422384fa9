import type { RecipePlaces } from '../recipe/recipe-places.ts';
import type { LimbeckApi } from '../run/api.ts';
import type { Progress } from './progress/progress.ts';
import type { Terminal } from './terminal.ts';

/** What a command has at hand; everything of the process comes through here, so that tests can stand in. */
export interface Cli {
  readonly terminal: Terminal;
  readonly workingFolder: string;
  /** The arguments as they were typed, without node and the script. */
  readonly arguments: readonly string[];
  readonly version: string;
  /** All that comes through stdin, as text. */
  readInput(): Promise<string>;
  /** Loads the part of the library that is called, and with it ONNX Runtime: help and usage errors do without. */
  readonly api: LimbeckApi;
  /** From now on Ctrl+C asks for a clean stop through the signal; a second one ends at once. */
  stopCleanly(progress: Progress): AbortSignal;
  /** Where the keys of the recipe stand that the command is about, once it is read. */
  places?: RecipePlaces;
  /** The code that the process ends with when nothing is thrown. */
  exitCode: number;
}
