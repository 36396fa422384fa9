import { LimbeckError } from '../errors.ts';
import { readdirSync, renameSync, rmSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import { readRegularFile } from '../regular-file.ts';
import { replaceFile } from '../replace-file.ts';
import {
  type Checkpoint,
  type CheckpointOwner,
  decodeCheckpoint,
  differences,
  encodeCheckpoint,
  type ReadCheckpoint,
} from './checkpoint-file.ts';

/** How many checkpoints of a training stay, the newest ones: there is one to go on from when the last is damaged. */
export const CHECKPOINTS_KEPT = 2;
const FILE = /^step-(\d+)\.safetensors$/;
/** What the name of a file that was refused gets, so that it is not tried again and does not count as one that is kept. */
const REFUSED = '.refused';

/**
 * The checkpoints of one training, as safetensors files in a folder. A file appears whole or not at all (written
 * beside, synced, renamed), and the last two are kept, so that there is always one to go on from. What is read is what was
 * written, by this very training: anything else is refused and put away.
 */
export class CheckpointFolder {
  readonly #folder: string;
  readonly #owner: CheckpointOwner;

  constructor(folder: string, owner: CheckpointOwner) {
    this.#folder = folder;
    this.#owner = owner;
  }

  /** Throws LimbeckError `checkpoint.disk-full` (or `checkpoint.write`); earlier checkpoints stay. */
  save(checkpoint: Checkpoint): void {
    replaceFile(this.#path(checkpoint.step), encodeCheckpoint(checkpoint, this.#owner), 'checkpoint');
    for (const old of this.#steps().slice(CHECKPOINTS_KEPT)) rmSync(this.#path(old), { force: true });
  }

  /**
   * The newest checkpoint that can be gone on from, or undefined. `warn` is told why others are refused, and when the
   * training is not going to end in the bits that it would have ended in.
   *
   * @param fits why a checkpoint that is sound is not one of the training as it is now, if it is not
   */
  load(
    warn: (message: string) => void,
    fits: (checkpoint: Checkpoint) => string | undefined = () => undefined,
  ): Checkpoint | undefined {
    const steps = this.#steps();
    for (const [i, step] of steps.entries()) {
      try {
        const checkpoint = this.#read(step);
        const misfit = fits(checkpoint);
        if (misfit !== undefined) {
          throw new LimbeckError('checkpoint.other-training', `the checkpoint does not fit: ${misfit}`, {
            where: this.#path(step),
          });
        }
        const changed = differences(this.#owner.circumstances, checkpoint.circumstances);
        if (changed.length > 0) {
          warn(
            `the training goes on at step ${step}, but not to the same bits: its checkpoint was written with ${changed.join(', ')}`,
          );
        }
        return checkpoint;
      } catch (error) {
        if (!(error instanceof LimbeckError)) throw error;
        const older = steps[i + 1];
        const then = older === undefined ? 'the training starts anew' : `the one of step ${older} is tried`;
        warn(`${error.message}; it is not used, and ${then} (${this.#path(step)})`);
        this.#putAway(step, error.code === 'checkpoint.damaged');
      }
    }
    return undefined;
  }

  #read(step: number): ReadCheckpoint {
    const where = this.#path(step);
    let bytes: Uint8Array;
    try {
      bytes = readRegularFile(where);
    } catch (cause) {
      const message = `the checkpoint cannot be read: ${(cause as Error).message}`;
      throw new LimbeckError('checkpoint.unreadable', message, { where, cause });
    }
    return decodeCheckpoint(bytes, { where, step, identity: this.#owner.identity });
  }

  /** A damaged file is of no use to anybody; one of another training may be missed elsewhere. */
  #putAway(step: number, damaged: boolean): void {
    try {
      if (damaged) rmSync(this.#path(step), { force: true });
      else renameSync(this.#path(step), this.#path(step) + REFUSED);
    } catch {
      // A folder that cannot be written to: saving is going to tell.
    }
  }

  #path(step: number): string {
    return join(this.#folder, `step-${step}.safetensors`);
  }

  /** The steps that have a file, newest first. */
  #steps(): number[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    // Only names as `save` makes them: `step-007` would be read as the file of step 7, which is not there.
    const steps = names
      .flatMap((name) => FILE.exec(name)?.[1] ?? [])
      .filter((text) => `${Number(text)}` === text);
    return steps.map(Number).sort((a, b) => b - a);
  }
}
