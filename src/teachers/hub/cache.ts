import { existsSync } from '../../platform/files.ts';
import { ENVIRONMENT, homeFolder } from '../../platform/machine.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';

/**
 * The folder in which huggingface_hub keeps what it downloaded, shared with Python: HF_HUB_CACHE, else `hub` in HF_HOME,
 * else in `~/.cache/huggingface`.
 */
export function sharedCache(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = ENVIRONMENT;
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homeFolder(), '.cache'), 'huggingface');
  return join(home, 'hub');
}

/** Whether nothing may be asked of a hub (HF_HUB_OFFLINE, as Python has it). */
export function isOffline(): boolean {
  return /^(1|on|yes|true)$/i.test(ENVIRONMENT.HF_HUB_OFFLINE ?? '');
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Where a model is kept in a cache: `models--OWNER--NAME`, with `refs` and `snapshots` in it. */
export class CachedModel {
  readonly #folder: string;

  constructor(cache: string, model: string) {
    this.#folder = join(cache, `models--${model.split('/').join('--')}`);
  }

  /** The file that says which commit a branch or tag is. */
  refFile(revision: string): string {
    return join(this.#folder, 'refs', ...revision.split('/'));
  }

  /** The folder with the files of a commit. Plain files lie in it: a model and its data have to be in one folder. */
  snapshot(commit: string): string {
    return join(this.#folder, 'snapshots', commit);
  }

  /** The commit that a revision was when it was last asked for, if its files are here. */
  commitOf(revision: string): string | undefined {
    const commit = isCommit(revision) ? revision : this.#read(this.refFile(revision));
    return commit !== undefined && isCommit(commit) && existsSync(this.snapshot(commit)) ? commit : undefined;
  }

  #read(path: string): string | undefined {
    try {
      return existsSync(path) ? readRegularText(path).trim() : undefined;
    } catch {
      // What cannot be read is asked for again.
      return undefined;
    }
  }
}
