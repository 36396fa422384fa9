import { LimbeckError } from '../../errors.ts';
import type { StageName } from '../../events.ts';
import { appendFileSync, existsSync, mkdirSync, readdirSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile, writeError } from '../../replace-file.ts';
import { sealJson } from '../../sealed-json.ts';
import { requireWritableFolder, whyNotWritten } from '../../writable-folder.ts';
import { keptFiles, keptFolder, keptProblem, requireKept } from './kept-files.ts';
import { differsInChangeable, differsInOrder, withBaselineOf } from './recipe-changes.ts';
import { isLockOwn, releaseLock, takeLock } from './run-lock.ts';
import {
  newState,
  type RunInput,
  type RunOrigin,
  type RunState,
  readState,
  STATE_FILE,
  stateToKeep,
  type Teaching,
} from './run-state.ts';

const RECIPE_FILE = 'recipe.resolved.yaml';

const COMMANDS: Readonly<Record<Teaching, string>> = {
  teacher: 'distill',
  labels: 'train',
  tasks: 'continual',
};

const ANOTHER_FOLDER =
  'Choose another folder with --out (and with --store for the answers, where this place cannot be written to).';

/** Makes sure that a run could write its folder, without making it. Throws LimbeckError `run.write`. */
export function requireRunFolder(path: string): void {
  requireWritableFolder(path, 'run.write', ANOTHER_FOLDER);
}

/**
 * The folder of a run: `recipe.resolved.yaml`, `state.json`, `metrics.jsonl`, `result.json`, `checkpoints/`,
 * `teacher/`, `student/`, `report.html`. One process at a time works in it.
 */
export class RunFolder {
  readonly path: string;
  /** What was found damaged when the folder was opened. */
  readonly problems: string[] = [];
  #state: RunState;
  readonly #lock: string;

  /**
   * Opens or makes the folder. Throws LimbeckError `run.locked` while another process works in it, and
   * `run.other-recipe` when it holds a run of another recipe in which something was finished.
   */
  constructor(path: string, resolvedRecipe: string, origin: RunOrigin) {
    this.path = path;
    this.#lock = join(path, '.lock');
    try {
      mkdirSync(path, { recursive: true });
    } catch (cause) {
      throw new LimbeckError('run.write', `could not make the run's folder: ${whyNotWritten(path, cause)}`, {
        where: path,
        remedy: ANOTHER_FOLDER,
        cause,
      });
    }
    takeLock(this.#lock);
    try {
      this.#state = { ...this.#readState(origin), origin };
      this.#checkRecipe(resolvedRecipe);
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

  get seconds(): Readonly<Record<StageName, number>> {
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
   * Remembers what the outputs of students begin with, beside their trained parameters. A checkpoint of students that began
   * otherwise (versions before 29 November 2026 knew no rates of classes) has parameters that mean something else.
   *
   * @param start a hash of it; undefined where outputs begin at 0
   *
   * Throws LimbeckError `run.other-heads`.
   */
  acceptHeads(start: string | undefined): void {
    if (this.#state.heads === start) return;
    if (this.#hasCheckpoints()) {
      throw new LimbeckError(
        'run.other-heads',
        'the student of this run was trained by another version of Limbeck, whose outputs of several classes began with other numbers: its checkpoint would answer otherwise now',
        {
          where: this.path,
          remedy:
            'Use the files that it left in student/ as they are, or train it anew in another folder (--out): the store keeps all answers.',
        },
      );
    }
    if (start === undefined) delete this.#state.heads;
    else this.#state.heads = start;
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
    // A process that was killed may leave half a line, which would spoil the one that is written after it.
    const others = lines.filter((line) => isJson(line) && !line.startsWith(`{"stage":"${stage}"`));
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

  /** Remembers files of the run as they are now, because they are read again. */
  keep(...names: string[]): void {
    this.#state.files = { ...this.#state.files, ...keptFiles(this.path, names) };
    this.#write();
  }

  /** The same for all files of a part of the folder, and forgets those that it had before; all of a part that is gone. */
  keepFolder(part: string): void {
    const own = existsSync(this.file(part)) ? keptFolder(this.path, part) : {};
    const others = Object.entries(this.#state.files).filter(([name]) => !name.startsWith(`${part}/`));
    this.#state.files = { ...Object.fromEntries(others), ...own };
    this.#write();
  }

  /** Why a file or a part of the folder cannot be used as it is; undefined where it is as it was kept. */
  problemOf(name: string): string | undefined {
    return keptProblem(this.path, this.#state.files, name);
  }

  /** Why a kept file that is still there cannot be used as it is; a file that a person removed is not one. */
  damage(): string | undefined {
    const there = Object.keys(this.#state.files).filter((name) => existsSync(this.file(name)));
    for (const name of there) {
      const problem = this.problemOf(name);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** What is to be told where a person removed the folder while the run worked in it; undefined where it is still there. */
  lost(cause?: unknown): LimbeckError | undefined {
    if (isLockOwn(this.#lock)) return undefined;
    return new LimbeckError(
      'run.folder-lost',
      "the run's folder, or the lock in it, was removed while the run worked in it",
      {
        where: this.path,
        remedy:
          'Run the same command again: it begins anew here, and finds the answers that are in the store.',
        cause,
      },
    );
  }

  close(): void {
    releaseLock(this.#lock);
  }

  #write(): void {
    const lost = this.lost();
    if (lost) throw lost;
    replaceFile(this.file(STATE_FILE), sealJson(stateToKeep(this.#state)), 'run');
  }

  #readState(origin: RunOrigin): RunState {
    try {
      return readState(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return newState(origin);
      if (!(error instanceof LimbeckError)) throw error;
      // Only what could be found again is lost: labels and checkpoints have files of their own.
      const message = `${error.message}; what finished stages found is found again`;
      this.problems.push(message);
      return { ...newState(origin), warnings: [message] };
    }
  }

  #tell(message: string): void {
    this.problems.push(message);
    if (!this.#state.warnings.includes(message)) this.#state.warnings.push(message);
  }

  /** Whether nothing was finished here yet: a run that was refused, whose recipe the person has corrected since. */
  #isBlank(): boolean {
    return Object.keys(this.#state.done).length === 0 && !this.#hasCheckpoints();
  }

  #checkRecipe(given: string): void {
    const path = this.file(RECIPE_FILE);
    const written = existsSync(path) ? readRegularText(path) : given;
    const resolved = withBaselineOf(written, given);
    if (written !== resolved) {
      // What was kept of the file tells one that was damaged from one of another recipe.
      const kept = this.#state.files[RECIPE_FILE]?.sha256;
      const isOther =
        kept !== sha256Of(resolved) &&
        !differsInChangeable(written, resolved) &&
        !(kept === sha256Of(written) && differsInOrder(written, resolved));
      if (isOther && !this.#isBlank()) {
        throw new LimbeckError(
          'run.other-recipe',
          'this folder holds a run of another recipe (or of other options)',
          {
            where: path,
            remedy: 'Choose another folder with --out, or delete this one.',
          },
        );
      }
      if (isOther) this.#state = newState(this.#state.origin);
      else if (kept !== sha256Of(written) && !differsInChangeable(written, resolved))
        this.#tell(`${RECIPE_FILE} was not as the run wrote it; it is written again`);
    } else if (existsSync(path) && this.#state.files[RECIPE_FILE]) return;
    replaceFile(path, resolved, 'run');
    this.#state.files = { ...this.#state.files, ...keptFiles(this.path, [RECIPE_FILE]) };
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function sha256Of(text: string): string {
  return createSha256().update(text).digest('hex');
}

/**
 * What a run's folder says of where it came from, and what was kept of its files.
 * Throws LimbeckError `run.not-a-run`, or `run.damaged` for one whose own notes are not as it wrote them.
 */
export function readRun(path: string): { recipe: string } & Pick<RunState, 'origin' | 'files'> {
  try {
    const { origin, files } = readState(path);
    const remedy =
      'Run the same `limbeck distill` again, with its recipe and this folder: it writes the file again.';
    requireKept(path, files, RECIPE_FILE, remedy);
    return { recipe: readRegularText(join(path, RECIPE_FILE)), origin, files };
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError('run.not-a-run', 'this is not the folder of a run', {
      where: path,
      remedy: 'Give the folder that `limbeck distill` or `limbeck train` wrote (runs/NAME).',
      cause,
    });
  }
}
