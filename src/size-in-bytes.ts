/** A size as people write it: a number of bytes, or one with its unit. */
export type WrittenSize = number | string;

const UNITS: Readonly<Record<string, number>> = {
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** What a written size looks like: `4GB`, `1.5 GiB`. */
export const WRITTEN_SIZE = new RegExp(`^\\d{1,6}(\\.\\d{1,3})?\\s?(${Object.keys(UNITS).join('|')})$`);

/** The bytes of a size. @throws Error for what is none; recipes check it before */
export function sizeInBytes(size: WrittenSize): number {
  if (typeof size === 'number') return size;
  if (!WRITTEN_SIZE.test(size)) throw new Error(`'${size}' is no size`);
  const unit = /[A-Za-z]+$/.exec(size)?.[0] as string;
  return Math.floor(Number.parseFloat(size) * (UNITS[unit] as number));
}

/** `4.0 GB`, for people. */
export function sizeInWords(bytes: number): string {
  const [unit, scale] =
    bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : bytes < 1e13 ? ['GB', 1e9] : ['TB', 1e12];
  return `${(bytes / (scale as number)).toFixed(1)} ${unit}`;
}
