import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import type { StageName } from '../../events.ts';
import { issueInWords } from '../../issue-in-words.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { openSealedJson } from '../../sealed-json.ts';
import type { KeptFiles } from './kept-files.ts';

export const STATE_FILE = 'state.json';

/** `distill` teaches by the teacher, `train` by the labels alone, `continual` task after task: one recipe, other students. */
export type Teaching = 'teacher' | 'labels' | 'tasks';

/** What a run is made of besides its recipe. */
export type RunInput = 'data' | 'teacher';

export interface RunOrigin {
  readonly recipeFolder: string;
  readonly storeFolder: string;
}

/** What a run remembers of itself, in `state.json`: enough to go on after it was killed. */
export interface RunState {
  /** Wall seconds of each stage, over all parts of the run. */
  seconds: Record<StageName, number>;
  /** Stages that are done, with what they found (plain JSON). */
  done: Record<StageName, unknown>;
  warnings: string[];
  /** Hashes of what the recipe only names: they must stay the same once something was trained. */
  inputs: Partial<Record<RunInput, string>>;
  /** What the outputs of its students begin with, where that is something: `acceptHeads`. */
  heads?: string;
  /** What the recipe's relative paths and the store were, for commands that are given the folder alone. */
  origin: RunOrigin;
  /** Whom the students in `checkpoints` learn from. */
  teaching?: Teaching;
  /** What was kept of the files that are read again. */
  files: KeptFiles;
}

/** Raised when what an older version wrote can no longer be gone on from. */
const FORMAT = 1;

const stateSchema = z.object({
  format: z.literal(FORMAT).default(FORMAT),
  seconds: z.record(z.string(), z.number().nonnegative()).default({}),
  done: z.record(z.string(), z.unknown()).default({}),
  warnings: z.array(z.string()).default([]),
  inputs: z.object({ data: z.string().optional(), teacher: z.string().optional() }).default({}),
  heads: z.string().optional(),
  origin: z.object({ recipeFolder: z.string(), storeFolder: z.string() }),
  teaching: z.enum(['teacher', 'labels', 'tasks']).optional(),
  files: z.record(z.string(), z.object({ bytes: z.int().nonnegative(), sha256: z.string() })).default({}),
});

/** The state of a run that begins. */
export function newState(origin: RunOrigin): RunState {
  return { seconds: {}, done: {}, warnings: [], inputs: {}, origin, files: {} };
}

/** The state as it is written. */
export function stateToKeep(state: RunState): object {
  return { format: FORMAT, ...state };
}

/**
 * Reads the state of a run's folder.
 *
 * @throws LimbeckError `run.damaged` for a file that cannot be read, was changed, or is of another version; Node's ENOENT where
 * there is none
 */
export function readState(folder: string): RunState {
  const path = join(folder, STATE_FILE);
  let text: string;
  try {
    text = readRegularText(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw cause;
    throw damaged(path, (cause as Error).message, cause);
  }
  try {
    const { format: _, ...state } = stateSchema.parse(openSealedJson(text).value);
    return state as RunState;
  } catch (cause) {
    const problem = cause instanceof z.ZodError ? whereOf(cause) : (cause as Error).message;
    throw damaged(path, problem, cause);
  }
}

/** What was kept of a run's files, for commands that are given its folder alone; nothing where there is no state. */
export function filesOf(folder: string): KeptFiles {
  try {
    return readState(folder).files;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

function whereOf({ issues }: z.ZodError): string {
  return issueInWords(issues[0]);
}

function damaged(where: string, problem: string, cause: unknown): LimbeckError {
  return new LimbeckError('run.damaged', `the run's ${STATE_FILE} is damaged: ${problem}`, {
    where,
    remedy:
      'Run the same `limbeck distill` (or `train`, `continual`) with its recipe and folder again: it finds again what is lost.',
    cause,
  });
}
