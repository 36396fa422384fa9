import { LimbeckError } from '../../../errors.ts';
import { BrokenValue } from '../../broken-value.ts';
import { promisedFormat } from './image-format.ts';

/** An image as a source gives it: the bytes of a file, the path of one, or pixels in the order channel, row, column. */
export type RawImage =
  | { readonly bytes: Uint8Array; readonly path?: string }
  /** `name`: the path as the data have it. */
  | { readonly path: string; readonly name?: string }
  | { readonly pixels: Uint8Array; readonly dims: readonly [number, number, number] };

/**
 * A value of a row as an image: a path, the bytes of a file, or both in a record, as the hub's Image feature has them.
 *
 * @throws BrokenValue for anything else
 */
export function rawImage(value: unknown): RawImage {
  if (value instanceof Uint8Array) return { bytes: value };
  if (typeof value === 'string') return pathOf(value);
  if (typeof value !== 'object' || value === null) throw new BrokenValue('missing', 'there is no image');
  const { bytes, path, name, pixels, dims } = value as Record<string, unknown>;
  if (pixels instanceof Uint8Array && Array.isArray(dims) && dims.length === 3) {
    return { pixels, dims: dims as unknown as [number, number, number] };
  }
  if (bytes instanceof Uint8Array) return { bytes, ...(typeof path === 'string' && { path }) };
  if (typeof path === 'string') return { ...pathOf(path), ...(typeof name === 'string' && { name }) };
  throw new BrokenValue('image', 'the value is neither the path of an image nor its bytes');
}

function pathOf(path: string): RawImage {
  if (path.trim() === '') throw new BrokenValue('missing', 'the path of the image is empty');
  if (/^(https?|ftp|data|blob):/i.test(path))
    throw new BrokenValue(
      'image',
      `the image is an address (${path.slice(0, 40)}), not a file: download it first`,
    );
  return { path };
}

/**
 * What a person knows an image by: the path that the data have for it, or the name of its file and of its folder, which often is
 * its class.
 */
export function imageName(raw: RawImage): string {
  if ('name' in raw && raw.name !== undefined) return raw.name;
  return 'path' in raw && raw.path !== undefined ? raw.path.split(/[/\\]/).slice(-2).join('/') : '';
}

/** Whether a file's name promises another format than its content has. */
export function isMisnamed(raw: RawImage, format: string | undefined): boolean {
  const promised = promisedFormat(imageName(raw));
  return promised !== undefined && promised !== format;
}

/** A file's path by the rules of the run; a row may not lead out of the folders that are allowed. */
export function allowedPath(path: string, resolvePath: (path: string) => string): string {
  try {
    return resolvePath(path);
  } catch (error) {
    if (error instanceof LimbeckError) throw new BrokenValue('image', `${error.message} (${path})`);
    throw error;
  }
}
