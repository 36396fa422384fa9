import { BrokenValue } from '../../broken-value.ts';
import { brokenAudio } from './broken-audio.ts';
import type { AudioFormat } from './formats.ts';

/** Audio as a source gives it: the bytes of a file, the path of one, or samples that it made itself. */
export type RawAudio =
  | { readonly bytes: Uint8Array; readonly path?: string }
  /** `name`: the path as the data have it. */
  | { readonly path: string; readonly name?: string }
  /** Between -1 and 1, and how many a second; `title` for people. */
  | { readonly samples: Float32Array; readonly rate: number; readonly title?: string };

/**
 * A value of a row as audio: a path, the bytes of a file, or both in a record, as the hub's Audio feature has them.
 *
 * @throws BrokenValue for anything else
 */
export function rawAudio(value: unknown): RawAudio {
  if (value instanceof Uint8Array) return { bytes: value };
  if (typeof value === 'string') return pathOf(value);
  if (typeof value !== 'object' || value === null) throw new BrokenValue('missing', 'there is no audio');
  const { bytes, path, name, samples, rate, title } = value as Record<string, unknown>;
  if (samples instanceof Float32Array && typeof rate === 'number')
    return { samples, rate, ...(typeof title === 'string' && { title }) };
  if (bytes instanceof Uint8Array) return { bytes, ...(typeof path === 'string' && { path }) };
  if (typeof path === 'string') return { ...pathOf(path), ...(typeof name === 'string' && { name }) };
  throw brokenAudio('the value is neither the path of an audio file nor its bytes');
}

function pathOf(path: string): RawAudio {
  if (path.trim() === '') throw new BrokenValue('missing', 'the path of the audio file is empty');
  if (/^(https?|ftp|data|blob):/i.test(path))
    throw brokenAudio(`the audio is an address (${path.slice(0, 40)}), not a file: download it first`);
  return { path };
}

/** What a person knows audio by: the path that the data have for it, or the name of its file and of its folder. */
export function audioName(raw: RawAudio): string {
  if ('title' in raw && raw.title !== undefined) return raw.title;
  if ('name' in raw && raw.name !== undefined) return raw.name;
  return 'path' in raw && raw.path !== undefined ? raw.path.split(/[/\\]/).slice(-2).join('/') : '';
}

const ENDINGS: readonly (readonly [ending: RegExp, formats: readonly AudioFormat[]])[] = [
  [/\.wave?$/i, ['wav']],
  [/\.flac$/i, ['flac']],
  [/\.mp3$/i, ['mp3']],
  [/\.(ogg|oga|opus)$/i, ['vorbis', 'opus']],
];

/** Whether a file's name promises another format than its content has. */
export function isMisnamed(raw: RawAudio, format: AudioFormat): boolean {
  const promised = ENDINGS.find(([ending]) => ending.test(audioName(raw)))?.[1];
  return promised !== undefined && !promised.includes(format);
}
