import type { ImagePixels } from './image-pixels.ts';
import type { Resampling, Size } from './preprocessing.ts';

/** What decoding may cost, and how it is done. */
export interface DecodeOptions {
  /** An image of more pixels is refused before it is decoded: it takes four bytes of memory for each. */
  readonly maxPixels: number;
  /** What shows through where an image is transparent: `#ffffff`. */
  readonly background: string;
}

/** A decoded file, and what was done to it that a person should know. */
export interface DecodedImage {
  /** Three channels, turned as its EXIF orientation says. */
  readonly pixels: ImagePixels;
  readonly facts: Readonly<Record<ImageFact, boolean>>;
}

/** `animated`: its first frame alone was taken; `alpha`: where it is transparent the background shows through. */
export type ImageFact = 'animated' | 'alpha' | 'cmyk' | 'turned';

/** What decodes and resizes images: `sharp` in Node. */
export interface ImageLibrary {
  /** For cache keys: name and version; other versions round differently. */
  readonly title: string;
  /** @throws BrokenValue (`image`) for what is no image, is damaged or is too large */
  decode(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage>;
  /** Resizes as transformers.js does in the same place. */
  resize(image: ImagePixels, to: Size, resample: Resampling): Promise<ImagePixels>;
}
