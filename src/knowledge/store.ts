import { LimbeckError } from '../errors.ts';
import { mkdir, readdir, rm, stat, utimes } from '../platform/async-files.ts';
import { nextTurn } from '../platform/next-turn.ts';
import { join, resolve } from '../platform/paths.ts';
import { requireWritableFolder, whyNotWritten } from '../writable-folder.ts';
import { LabelSpace, type SpaceInfo } from './label-space.ts';
import { checkDatabase, NAME_ANOTHER, storeError } from './lmdb-file.ts';
import { readSpaceInfo, SPACE_FILE, type SpaceDefinition, spaceInfo, writeSpaceInfo } from './space-info.ts';

/** A space as `limbeck store ls` lists it. */
export interface SpaceSummary extends SpaceInfo {
  readonly samples: number;
  /** On the disk. */
  readonly bytes: number;
  readonly lastUsed: Date;
  /** Why its labels cannot be read, when they cannot. */
  readonly problem: string | undefined;
}

export interface VerifyProgress {
  readonly space: SpaceInfo;
  readonly checked: number;
  readonly total: number;
  /** Records whose checksum failed so far. */
  readonly damaged: number;
  /** Whether this was the last of the space. */
  readonly done: boolean;
  /** Why none of its labels can be read, when its file is damaged as a whole. */
  readonly problem: string | undefined;
}

export interface PruneOptions {
  /** Spaces that no run has opened for so many days. */
  unusedForDays?: number;
  /** Spaces of this teacher: its title, or its hash or the beginning of it (4 digits at least). */
  teacher?: string;
  /** Every space. */
  all?: boolean;
}

const VERIFY_CHUNK = 1000;
const DAY_MS = 86_400_000;

/**
 * The knowledge store: a folder that keeps what teachers have answered, so that no teacher is asked twice about the
 * same sample. Every (teacher, tap, preprocessing, encoding) has its own space, in a folder of its own; what is
 * damaged or dropped in one touches no other. Runs share it, also at the same time.
 *
 * @example
 * const store = await KnowledgeStore.open('.limbeck/store');
 * const space = await store.space({ title, teacher: hash, tap: 'logits', preprocessing, dims: [26], encoding: 'float16' });
 * if (space.missing(batch.keys).length === 0) space.read(batch.keys, logits);
 */
export class KnowledgeStore {
  readonly folder: string;
  readonly #open = new Map<string, LabelSpace>();

  /** Use `KnowledgeStore.open`. */
  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Opens a store, and makes its folder when it is not there. Throws LimbeckError `store.read-only`, `store.disk-full`. */
  static async open(folder: string): Promise<KnowledgeStore> {
    try {
      await mkdir(folder, { recursive: true });
      if (!(await stat(folder)).isDirectory())
        throw Object.assign(new Error('not a folder'), { code: 'EEXIST' });
    } catch (cause) {
      if ((cause as { code?: string }).code === 'EEXIST' || (cause as { code?: string }).code === 'ENOTDIR') {
        throw new LimbeckError(
          'store.not-a-folder',
          `the knowledge store needs a folder, but ${whyNotWritten(folder, cause)}`,
          {
            where: folder,
            remedy: 'Name another folder (`store:` in the recipe), or move the file away.',
            cause,
          },
        );
      }
      throw storeError(cause, folder);
    }
    return new KnowledgeStore(resolve(folder));
  }

  /** Makes sure, before a teacher is asked, that answers can be kept. Throws LimbeckError `store.read-only`. */
  requireWritable(): void {
    requireWritableFolder(this.folder, 'store.read-only', NAME_ANOTHER);
  }

  /** The space for one tap of a teacher; it is made when it is not there, and marked as used now. */
  async space(definition: SpaceDefinition): Promise<LabelSpace> {
    const wanted = spaceInfo(definition);
    const folder = this.#folderOf(wanted.id);
    const known = this.#open.get(wanted.id);
    if (known) return known;
    try {
      await mkdir(folder, { recursive: true });
      const file = join(folder, SPACE_FILE);
      const now = new Date();
      const there = await utimes(file, now, now).then(
        () => true,
        () => false,
      );
      const written = there ? await readSpaceInfo(folder) : undefined;
      if (!written) await writeSpaceInfo(folder, wanted);
      const space = new LabelSpace(written ?? wanted, folder);
      this.#open.set(wanted.id, space);
      return space;
    } catch (cause) {
      throw storeError(cause, folder);
    }
  }

  /** All spaces, those used last first. */
  async list(): Promise<SpaceSummary[]> {
    const summaries: SpaceSummary[] = [];
    for (const id of await this.#ids()) {
      const folder = this.#folderOf(id);
      const info = await readSpaceInfo(folder);
      const sizes = await folderSizes(folder);
      let samples = 0;
      let problem = info ? undefined : `its ${SPACE_FILE} cannot be read`;
      if (info && sizes.hasLabels) {
        try {
          samples = await this.#reading(info, folder, async (space) => space.count);
        } catch (error) {
          problem = (error as Error).message;
        }
      }
      summaries.push({
        ...(info ?? unknownSpace(id)),
        samples,
        bytes: sizes.bytes,
        lastUsed: sizes.lastUsed,
        problem,
      });
    }
    return summaries.sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
  }

  /**
   * Checks every record of every space, and tells how far it is. With `repair`, damaged records (and files that
   * cannot be read at all) are removed, so that the next labelling restores them.
   */
  async *verify({
    repair = false,
    signal,
  }: {
    repair?: boolean;
    signal?: AbortSignal;
  } = {}): AsyncGenerator<VerifyProgress> {
    for (const summary of await this.list()) {
      if (summary.problem !== undefined) {
        if (repair) await this.#drop(summary.id);
        yield { space: summary, checked: 0, total: 0, damaged: 0, done: true, problem: summary.problem };
        continue;
      }
      const pages = pagesProblem(this.#folderOf(summary.id));
      if (pages !== undefined) {
        if (repair) await this.#drop(summary.id);
        yield { space: summary, checked: 0, total: 0, damaged: 0, done: true, problem: pages };
        continue;
      }
      if (summary.samples === 0) {
        yield { space: summary, checked: 0, total: 0, damaged: 0, done: true, problem: undefined };
        continue;
      }
      const space = this.#open.get(summary.id) ?? new LabelSpace(summary, this.#folderOf(summary.id));
      try {
        let checked = 0;
        let damaged = 0;
        let after: Uint8Array | undefined;
        for (;;) {
          signal?.throwIfAborted();
          const records = space.check(after, VERIFY_CHUNK);
          after = records.at(-1)?.key;
          const unsound = records.filter((record) => !record.sound).map((record) => record.key);
          if (repair && unsound.length > 0) await space.remove(unsound);
          checked += records.length;
          damaged += unsound.length;
          const done = records.length < VERIFY_CHUNK;
          const total = Math.max(summary.samples, checked);
          yield { space: summary, checked, total, damaged, done, problem: undefined };
          if (done) break;
          // Lets go of the read transaction, and lets others of this thread do something.
          await nextTurn();
        }
      } finally {
        if (!this.#open.has(summary.id)) await space.close();
      }
    }
  }

  /**
   * Drops whole spaces; conditions that are given must all hold.
   *
   * @returns what was dropped.
   */
  async prune({ unusedForDays, teacher, all = false }: PruneOptions): Promise<SpaceSummary[]> {
    if (unusedForDays === undefined && teacher === undefined && !all) {
      throw new LimbeckError('store.prune-what', 'nothing says what to drop from the knowledge store', {
        where: this.folder,
        remedy: 'Say how long unused, which teacher, or all of it.',
      });
    }
    const dropped: SpaceSummary[] = [];
    for (const summary of await this.list()) {
      const age = (Date.now() - summary.lastUsed.getTime()) / DAY_MS;
      if (unusedForDays !== undefined && age < unusedForDays) continue;
      if (teacher !== undefined && !isTeacher(summary, teacher)) continue;
      await this.#drop(summary.id);
      dropped.push(summary);
    }
    return dropped;
  }

  async close(): Promise<void> {
    const spaces = [...this.#open.values()];
    this.#open.clear();
    for (const space of spaces) await space.close();
  }

  #folderOf(id: string): string {
    return join(this.folder, id);
  }

  async #ids(): Promise<string[]> {
    const names = await readdir(this.folder);
    return names.filter((name) => /^[0-9a-f]{32}$/.test(name));
  }

  async #reading<T>(info: SpaceInfo, folder: string, action: (space: LabelSpace) => Promise<T>): Promise<T> {
    const open = this.#open.get(info.id);
    if (open) return action(open);
    const space = new LabelSpace(info, folder, 'read');
    try {
      return await action(space);
    } finally {
      await space.close();
    }
  }

  async #drop(id: string): Promise<void> {
    const folder = this.#folderOf(id);
    try {
      await this.#open.get(id)?.close();
      this.#open.delete(id);
      await rm(folder, { recursive: true, force: true });
    } catch (cause) {
      throw storeError(cause, folder);
    }
  }
}

function isTeacher(space: SpaceInfo, wanted: string): boolean {
  return space.title === wanted || (wanted.length >= 4 && space.teacher.startsWith(wanted));
}

/** Why LMDB must not walk through a space, if it must not. */
function pagesProblem(folder: string): string | undefined {
  try {
    checkDatabase(folder, { always: true });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function folderSizes(folder: string): Promise<{ bytes: number; lastUsed: Date; hasLabels: boolean }> {
  let bytes = 0;
  let lastUsed = new Date(0);
  let hasLabels = false;
  for (const name of await readdir(folder)) {
    const { blocks, mtime } = await stat(join(folder, name));
    bytes += blocks * 512;
    if (name === SPACE_FILE) lastUsed = mtime;
    if (name === 'data.mdb') hasLabels = true;
  }
  return { bytes, lastUsed, hasLabels };
}

function unknownSpace(id: string): SpaceInfo {
  return {
    id,
    title: 'unknown',
    teacher: '',
    tap: '',
    preprocessing: '',
    dims: [0],
    encoding: 'float32',
    created: '',
  };
}
