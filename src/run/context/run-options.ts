import type { Engine } from '../../engine/engine.ts';
import type { OnEvent } from '../../events.ts';

/** How one run is to go; what it does is the recipe's. */
export interface RunOptions {
  /** The folder of the run. A run that was cut off there goes on. */
  out: string;
  onEvent?: OnEvent;
  /** Asks the run to stop: it keeps what it has computed and throws LimbeckError `run.interrupted`. */
  signal?: AbortSignal;
  /** Whether the student is also trained on the labels alone; as the recipe says (`baseline`) by default. */
  baseline?: boolean;
  /** Where the knowledge store is, instead of where the recipe says. */
  storeFolder?: string;
  /** Folders outside the recipe's that its paths may reach. */
  allowPaths?: string[];
  /** What the recipe's paths are relative to; the working folder by default. */
  recipeFolder?: string;
  /** What runs the models, instead of what the recipe names (`engine`). */
  engine?: Engine;
  /** The command that repeats the run, for the report. */
  command?: string;
  /** For how long each model is timed, in seconds, for each of the two batch sizes; 0.5 by default. */
  timingSeconds?: number;
}
