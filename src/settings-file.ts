import { LimbeckError } from './errors.ts';
import { parseJson } from './json-problem.ts';
import { isLfsPointer, LFS_POINTER } from './lfs-pointer.ts';
import { textOf } from './platform/bytes.ts';
import { statSync } from './platform/files.ts';
import { readRegularFile, readRegularFileAsync, requireFile } from './regular-file.ts';
import { sizeInWords } from './size-in-bytes.ts';

/** The largest are tokenizers, of some 40 MB today. */
export const MOST_BYTES_OF_SETTINGS = 64e6;

/** Thrown for a file beside a model that is far too large to hold settings. */
export class SettingsTooLargeError extends LimbeckError {
  constructor(where: string, bytes: number) {
    const most = sizeInWords(MOST_BYTES_OF_SETTINGS);
    super('model.settings', `it has ${sizeInWords(bytes)}: files beside a model have ${most} at most`, {
      where,
      remedy: 'Take the file that came with the model, or move this one away.',
    });
  }
}

/**
 * The bytes of a file that lies beside a model, or comes with one, and is read whole: config.json, tokenizer.json, a chat template.
 *
 * @throws SettingsTooLargeError; what `readRegularFile` throws
 */
export function readSettings(path: string): Uint8Array {
  requireBound(path);
  return readRegularFile(path);
}

/** As `readSettings`, without blocking, so that signals are handled between files. */
export async function readSettingsAsync(path: string): Promise<Uint8Array> {
  requireBound(path);
  return readRegularFileAsync(path);
}

/** As text, without a byte order mark. */
export function readSettingsText(path: string): string {
  return textOf(readSettings(path)).replace(/^\uFEFF/, '');
}

/** As JSON. @throws SyntaxError, too, that says what is wrong and where; LimbeckError `model.settings` for a pointer of git-lfs */
export function readSettingsJson(path: string): unknown {
  const text = readSettingsText(path);
  if (!isLfsPointer(text)) return parseJson(text);
  throw new LimbeckError('model.settings', `it is ${LFS_POINTER}`, {
    where: path,
    remedy: 'Fetch the file that it stands for.',
  });
}

function requireBound(path: string): void {
  const status = statSync(path);
  requireFile(path, status);
  if (status.size > MOST_BYTES_OF_SETTINGS) throw new SettingsTooLargeError(path, status.size);
}
