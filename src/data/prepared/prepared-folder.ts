import * as fs from '../../platform/files.ts';
import { PROCESS_ID } from '../../platform/machine.ts';
import { basename, join } from '../../platform/paths.ts';
import { isRunning } from '../../running-process.ts';
import { guardWrite } from './appending-file.ts';

/** The folders that this process is writing. */
const BUILDING = new Set<string>();
let builds = 0;

/** Where a data set with this fingerprint lies in the folder of prepared ones. */
export function datasetFolder(root: string, fingerprint: string): string {
  return join(root, fingerprint.slice(0, 24));
}

/**
 * Opens the prepared data set of a fingerprint, or builds it first. It is written under another name and renamed when
 * it is complete, so that nothing half-written is ever found, whatever is killed and however many processes build.
 */
export async function preparedFolder<Manifest, Dataset>(options: {
  /** Where prepared data sets are kept, each in a folder named by its fingerprint. */
  readonly root: string;
  readonly fingerprint: string;
  /** The manifest of a complete data set in a folder; undefined if it has to be made. */
  readonly find: (folder: string) => Manifest | undefined;
  readonly build: (folder: string) => Promise<Manifest>;
  /** Told of a data set that is there and cannot be used: it is built again. */
  readonly onDamaged?: ((folder: string) => void) | undefined;
  readonly open: (folder: string, manifest: Manifest, reused: boolean) => Dataset;
}): Promise<Dataset> {
  const { root, find, build, open } = options;
  const folder = datasetFolder(root, options.fingerprint);
  const found = find(folder);
  if (found) return open(folder, found, true);
  if (fs.existsSync(folder)) options.onDamaged?.(folder);

  guardWrite(root, () => fs.mkdirSync(root, { recursive: true }));
  removeLeftovers(root, `${basename(folder)}.part-`);
  // Process id and number keep runs side by side apart.
  const partial = `${folder}.part-${PROCESS_ID}-${++builds}`;
  guardWrite(partial, () => fs.mkdirSync(partial));
  BUILDING.add(partial);
  try {
    const manifest = await build(partial);
    // Another process may have finished the same meanwhile, and be reading it: then its files stay.
    const theirs = find(folder);
    if (theirs) {
      fs.rmSync(partial, { recursive: true, force: true });
      return open(folder, theirs, true);
    }
    fs.rmSync(folder, { recursive: true, force: true });
    guardWrite(folder, () => fs.renameSync(partial, folder));
    return open(folder, manifest, false);
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true });
    throw error;
  } finally {
    BUILDING.delete(partial);
  }
}

/** Removes what a killed process left half-written. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(folder, name);
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (pid === PROCESS_ID ? BUILDING.has(path) : isRunning(pid)) continue;
    fs.rmSync(path, { recursive: true, force: true });
  }
}
