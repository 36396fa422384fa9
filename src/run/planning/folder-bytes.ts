import { readdirSync, statSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';

/** The bytes of all files in a folder and in those inside it. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}
