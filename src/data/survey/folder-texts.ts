import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf } from '../../platform/bytes.ts';
import { readRegularFileAsync } from '../../regular-file.ts';

const EACH_FOLDER = 50;
const MOST_TEXTS = 500;

/**
 * Some texts of a folder of texts, up to 50 of each of its folders, to measure their lengths.
 *
 * @param extension of the files that hold texts, with its dot
 */
export async function folderTexts(path: string, extension: string): Promise<string[]> {
  const texts: string[] = [];
  const folders = [path];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) folders.push(join(folder, entry.name));
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(extension));
    for (const { name } of files.slice(0, EACH_FOLDER)) {
      if (texts.length === MOST_TEXTS) return texts;
      texts.push(textOf(await readRegularFileAsync(join(folder, name))));
    }
  }
  return texts;
}
