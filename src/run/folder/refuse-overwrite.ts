import { LimbeckError } from '../../errors.ts';
import { realpathSync } from '../../platform/files.ts';
import { nodeModule } from '../../platform/node-modules.ts';
import { basename, dirname, join, resolve } from '../../platform/paths.ts';

const fs = nodeModule('node:fs');

/**
 * Throws when one of the files that are to be written is one of those that were read, or two of them are the same:
 * under whatever name (relative paths, links, hard links, another case where the file system does not tell them apart).
 *
 * @throws LimbeckError `model.overwrite`
 */
export function refuseOverwrite(written: readonly string[], read: readonly string[]): void {
  const sources = read.map((path) => ({ path, identities: identitiesOf(path) }));
  const before: { path: string; identities: readonly string[] }[] = [];
  for (const path of written) {
    const identities = identitiesOf(path);
    const same = (other: { identities: readonly string[] }) =>
      other.identities.some((identity) => identities.includes(identity));
    const source = sources.find(same);
    if (source) {
      throw new LimbeckError('model.overwrite', `a file that was read would be overwritten: ${source.path}`, {
        where: path,
        remedy: 'Give another file.',
      });
    }
    const twin = before.find(same);
    if (twin) {
      throw new LimbeckError('model.overwrite', `'${basename(path)}' is named twice`, {
        where: path === twin.path ? path : `${path}, ${twin.path}`,
        remedy: 'Give every file a name of its own.',
      });
    }
    before.push({ path, identities });
  }
}

/** What tells a file: its place on the disk where it exists, and its path with all links followed. */
function identitiesOf(path: string): string[] {
  const status = fs?.statSync(path, { bigint: true, throwIfNoEntry: false });
  const absolute = followed(resolve(path));
  // Two new files whose names differ in case alone are one file on macOS and Windows.
  return [
    absolute.toLowerCase(),
    ...(status?.isFile() && status.ino > 0n ? [`${status.dev} ${status.ino}`] : []),
  ];
}

function followed(path: string): string {
  try {
    return fs ? fs.realpathSync.native(path) : realpathSync(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(followed(folder), basename(path));
  }
}
