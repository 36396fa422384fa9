import { appendFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LimbeckError } from '../errors.ts';
import type { StageName } from '../events.ts';
import { readRegularText } from '../regular-file.ts';
import { replaceFile, writeError } from '../replace-file.ts';
import { releaseLock, takeLock } from './run-lock.ts';

/** What a run remembers of itself, in `state.json`: enough to go on after it was killed. */
interface RunState {
  /** Wall seconds of each stage, over all parts of the run. */
  seconds: Partial<Record<StageName, number>>;
  /** Stages that are done, with what they found (plain JSON). */
  done: Partial<Record<StageName, unknown>>;
  warnings: string[];
  /** Hashes of what the recipe only names: they must stay the same once something was trained. */
  inputs: Partial<Record<RunInput, string>>;
  /** What the recipe's relative paths and the store were, for commands that are given the folder alone. */
  origin: RunOrigin;
  /** Whom the students in `checkpoints` learn from. */
  teaching?: Teaching;
}

/** `distill` teaches by the teacher, `train` by the labels alone, `continual` task after task: one recipe, other students. */
export type Teaching = 'teacher' | 'labels' | 'tasks';

const COMMANDS: Readonly<Record<Teaching, string>> = {
  teacher: 'distill',
  labels: 'train',
  tasks: 'continual',
};

/** What a run is made of besides its recipe. */
export type RunInput = 'data' | 'teacher';

export interface RunOrigin {
  readonly recipeFolder: string;
  readonly storeFolder: string;
}

/**
 * The folder of a run: `recipe.resolved.yaml`, `state.json`, `metrics.jsonl`, `result.json`, `checkpoints/`,
 * `teacher/`, `student/`, `report.html`. One process at a time works in it.
 */
export class RunFolder {
  readonly path: string;
  readonly #state: RunState;
  readonly #lock: string;

  /**
   * Opens or makes the folder. Throws LimbeckError `run.locked` while another process works in it, and
   * `run.other-recipe` when it holds a run of another recipe.
   */
  constructor(path: string, resolvedRecipe: string, origin: RunOrigin) {
    this.path = path;
    this.#lock = join(path, '.lock');
    try {
      mkdirSync(path, { recursive: true });
    } catch (cause) {
      throw new LimbeckError('run.write', `could not make the run's folder: ${(cause as Error).message}`, {
        where: path,
        remedy: 'Choose another folder with --out.',
        cause,
      });
    }
    takeLock(this.#lock);
    try {
      this.#checkRecipe(resolvedRecipe);
      this.#state = { ...this.#readState(), origin };
      this.#write();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** What a finished stage found, or undefined when it is still to do. */
  finding<T>(stage: StageName): T | undefined {
    return this.#state.done[stage] as T | undefined;
  }

  get seconds(): Readonly<Partial<Record<StageName, number>>> {
    return this.#state.seconds;
  }

  /** Hashes of what the run was given so far. */
  get inputs(): Readonly<Partial<Record<RunInput, string>>> {
    return this.#state.inputs;
  }

  /** Whom the student learns from, once it is known. */
  get teaching(): Teaching | undefined {
    return this.#state.teaching;
  }

  get warnings(): readonly string[] {
    return this.#state.warnings;
  }

  /** Remembers a warning for the report; the same one only once. */
  addWarning(message: string): void {
    if (this.#state.warnings.includes(message)) return;
    this.#state.warnings.push(message);
    // At once: a training that goes on from a checkpoint does not warn again.
    this.#write();
  }

  addSeconds(stage: StageName, seconds: number): void {
    this.#state.seconds[stage] = (this.#state.seconds[stage] ?? 0) + seconds;
    this.#write();
  }

  /**
   * Remembers what the run was given, by its hash. When it is another than before, what was found with it is to be
   * found again; but a training that has begun must not go on with it.
   *
   * @param change says what is different, for the error
   *
   * Throws LimbeckError `run.other-data` or `run.other-teacher`.
   */
  acceptInput(input: RunInput, hash: string, change?: () => string): void {
    const before = this.#state.inputs[input];
    if (before === hash) return;
    if (before !== undefined) {
      if (this.#hasCheckpoints()) {
        const what = change?.();
        const problem = `the ${input} changed since this run began${what ? `: ${what}` : ''}`;
        throw new LimbeckError(`run.other-${input}`, problem, {
          where: this.path,
          remedy: `Bring the ${input} of before back, or choose another folder with --out: the store keeps all answers.`,
        });
      }
      this.#state.done = {};
    }
    this.#state.inputs[input] = hash;
    this.#write();
  }

  /**
   * Remembers whom the student learns from. The recipe of `train`, `distill` and `continual` may be the same, so nothing
   * else keeps one of them from going on with another's checkpoints. Throws LimbeckError `run.other-teaching`.
   */
  acceptTeaching(teaching: Teaching): void {
    const before = this.#state.teaching;
    if (before === teaching) return;
    const begun = ['train', 'continual'].some((name) => existsSync(this.file('checkpoints', name)));
    if (before !== undefined && begun) {
      const [command, other] = [COMMANDS[before], COMMANDS[teaching]];
      throw new LimbeckError('run.other-teaching', `this folder holds a student of \`limbeck ${command}\``, {
        where: this.path,
        remedy: `Choose another folder for \`limbeck ${other}\` with --out, or delete this one.`,
      });
    }
    this.#state.teaching = teaching;
    this.#write();
  }

  #hasCheckpoints(): boolean {
    const folder = this.file('checkpoints');
    if (!existsSync(folder)) return false;
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((name) =>
      name.endsWith('.safetensors'),
    );
  }

  /** Forgets that a stage was finished, before it is done again. */
  begin(stage: StageName): void {
    delete this.#state.done[stage];
    this.#write();
  }

  finish(stage: StageName, finding: unknown): void {
    this.#state.done[stage] = finding;
    this.#write();
  }

  /** Drops a stage's lines from metrics.jsonl, before it tells them anew from its checkpoint. */
  resetMetrics(stage: StageName): void {
    if (!existsSync(this.file('metrics.jsonl'))) return;
    const lines = readRegularText(this.file('metrics.jsonl')).split('\n');
    const others = lines.filter((line) => line !== '' && !line.startsWith(`{"stage":"${stage}"`));
    replaceFile(this.file('metrics.jsonl'), others.map((line) => `${line}\n`).join(''), 'run');
  }

  addMetrics(stage: StageName, values: Record<string, number | string>): void {
    const file = this.file('metrics.jsonl');
    try {
      appendFileSync(file, `${JSON.stringify({ stage, ...values })}\n`);
    } catch (cause) {
      throw writeError(file, cause, 'run');
    }
  }

  close(): void {
    releaseLock(this.#lock);
  }

  #write(): void {
    replaceFile(this.file('state.json'), `${JSON.stringify(this.#state, null, 2)}\n`, 'run');
  }

  #readState(): Omit<RunState, 'origin'> {
    const empty: Omit<RunState, 'origin'> = { seconds: {}, done: {}, warnings: [], inputs: {} };
    if (!existsSync(this.file('state.json'))) return empty;
    try {
      return { ...empty, ...(JSON.parse(readRegularText(this.file('state.json'))) as RunState) };
    } catch {
      // Only what could be done again is lost: labels and checkpoints have files of their own.
      return empty;
    }
  }

  #checkRecipe(resolved: string): void {
    const path = this.file('recipe.resolved.yaml');
    if (!existsSync(path)) {
      replaceFile(path, resolved, 'run');
    } else if (readRegularText(path) !== resolved) {
      throw new LimbeckError(
        'run.other-recipe',
        'this folder holds a run of another recipe (or of other options)',
        {
          where: path,
          remedy: 'Choose another folder with --out, or delete this one.',
        },
      );
    }
  }
}

/** What a run's folder says of where it came from. Throws LimbeckError `run.not-a-run`. */
export function readRun(path: string): { recipe: string; origin: RunOrigin } {
  try {
    const { origin } = JSON.parse(readRegularText(join(path, 'state.json'))) as RunState;
    if (typeof origin?.recipeFolder !== 'string' || typeof origin.storeFolder !== 'string') {
      throw new Error('its state.json does not say where it came from');
    }
    return { recipe: readRegularText(join(path, 'recipe.resolved.yaml')), origin };
  } catch (cause) {
    throw new LimbeckError('run.not-a-run', 'this is not the folder of a run', {
      where: path,
      remedy: 'Give the folder that `limbeck distill` or `limbeck train` wrote (runs/NAME).',
      cause,
    });
  }
}
