/** Formats of image files that are read. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif';

/** For people. */
export const FORMAT_NAMES: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
};

const ENDINGS: Readonly<Record<string, ImageFormat>> = {
  jpg: 'jpeg',
  jpeg: 'jpeg',
  jpe: 'jpeg',
  jfif: 'jpeg',
  png: 'png',
  webp: 'webp',
  gif: 'gif',
};

/** The endings of file names, with their dots. */
export const IMAGE_ENDINGS: readonly string[] = Object.keys(ENDINGS).map((ending) => `.${ending}`);

/** Endings of image files that cannot be read. */
export const UNREAD_IMAGE_ENDINGS: readonly string[] = [
  ...[
    '.avif',
    '.bmp',
    '.heic',
    '.heif',
    '.ico',
    '.jp2',
    '.jxl',
    '.pgm',
    '.ppm',
    '.psd',
    '.svg',
    '.tga',
    '.tif',
    '.tiff',
  ],
];

/** The format that a file's first bytes tell, whatever its name; undefined for any other content. */
export function imageFormat(bytes: Uint8Array): ImageFormat | undefined {
  const begins = (at: number, ...expected: number[]) => expected.every((byte, i) => bytes[at + i] === byte);
  if (begins(0, 0xff, 0xd8, 0xff)) return 'jpeg';
  if (begins(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  // "RIFF", four bytes of size, "WEBP"
  if (begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50)) return 'webp';
  if (begins(0, 0x47, 0x49, 0x46, 0x38)) return 'gif';
  return undefined;
}

/** The format that a file's name promises; undefined for a name that promises none. */
export function promisedFormat(name: string): ImageFormat | undefined {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  return ending !== undefined && Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
}
