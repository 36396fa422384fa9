import { z } from 'zod';
import { existsSync, mkdirSync, readdirSync, rmSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { requireFreeSpace } from '../free-space.ts';

const FORMAT = 1;

const state = z.object({
  format: z.literal(FORMAT),
  /** Of what is asked: model, cut and answers. */
  id: z.string(),
  blocks: z.int().nonnegative(),
  samples: z.int().nonnegative(),
  /** With the rows that only fill batches. */
  rows: z.int().nonnegative(),
  /** Tokens of the samples, and places with padding. */
  tokens: z.number(),
  places: z.number(),
  /** Whether values are kept without their padding; null until it is tried. */
  packs: z.boolean().nullable(),
  /** Parts that are through. */
  parts: z.int().nonnegative(),
  /** Blocks whose answers are kept elsewhere. */
  answered: z.int().nonnegative(),
});

/** How far a pass has come. */
export type PassState = Omit<z.output<typeof state>, 'format'>;

/** The folder of a pass: its samples, what goes from part to part, and how far it has come. */
export class PassFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The state of an earlier pass of the same kind; undefined, and an empty folder, where there is none to go on with. */
  begin(id: string, resume: boolean): PassState | undefined {
    const found = resume ? this.#read() : undefined;
    if (found?.id === id) return found;
    this.remove();
    mkdirSync(this.#path, { recursive: true });
    return undefined;
  }

  /** Removes a pass whose answers are all kept elsewhere: what ended just before it was removed. */
  removeFinished(): void {
    const found = this.#read();
    if (found && found.answered === found.blocks) this.remove();
  }

  write(now: PassState): void {
    replaceFile(join(this.#path, STATE), `${JSON.stringify({ format: FORMAT, ...now })}\n`, 'teacher');
  }

  /** The samples of a block. */
  samples(block: number): string {
    return join(this.#path, `samples.${block}`);
  }

  /** What a part made of a block that is read until another part. */
  values(from: number, until: number, block: number): string {
    return join(this.#path, `part-${from + 1}-to-${until + 1}.${block}`);
  }

  has(path: string): boolean {
    return existsSync(path);
  }

  /** Removes what no part from `part` on reads; with 0, all but the samples. */
  removeValues(keeps: (until: number) => boolean): void {
    for (const name of readdirSync(this.#path)) {
      const until = /^part-\d+-to-(\d+)\.\d+(?:\.partial)?$/.exec(name)?.[1];
      if (until !== undefined && !keeps(Number(until) - 1)) rmSync(join(this.#path, name), { force: true });
    }
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }

  /** @throws LimbeckError `teacher.disk` where less is free than will be needed at once */
  requireSpace(bytes: number): void {
    requireFreeSpace(this.#path, bytes, {
      what: 'what goes from one part of the teacher to the next',
      remedy:
        'Make room, keep runs on another disk (--out), or let more memory be taken (teacher.memory): fewer parts keep less.',
    });
  }

  #read(): PassState | undefined {
    const file = join(this.#path, STATE);
    if (!existsSync(file)) return undefined;
    try {
      const { format: _, ...found } = state.parse(JSON.parse(readRegularText(file)));
      return found;
    } catch {
      // Of another version, or damaged: the pass begins anew.
      return undefined;
    }
  }
}

const STATE = 'pass.json';
