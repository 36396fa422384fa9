import { BrokenValue } from '../../broken-value.ts';
import { damagedImage } from './damaged-image.ts';
import { imageFormat } from './image-format.ts';
import type { DecodedImage, DecodeOptions, ImageLibrary } from './image-library.ts';
import type { ImagePixels } from './image-pixels.ts';
import type { Size } from './preprocessing.ts';

/**
 * The decoder of a page or a worker: `createImageBitmap` and a canvas. What differs from Node's: a browser does not tell whether a
 * file was turned, has more frames or is CMYK, and resizes as it likes, whatever the recipe asks for (transformers.js does the
 * same there).
 */
export function canvasLibrary(): ImageLibrary {
  return { title: `canvas, ${navigator.userAgent}`, decode, resize };
}

async function decode(bytes: Uint8Array, { maxPixels, background }: DecodeOptions): Promise<DecodedImage> {
  const format = imageFormat(bytes);
  if (!format) throw new BrokenValue('image', 'it is no PNG, JPEG, WebP or GIF image');
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
      imageOrientation: 'from-image',
      colorSpaceConversion: 'default',
    });
  } catch (error) {
    throw damagedImage(format, error);
  }
  try {
    const { width, height } = bitmap;
    if (width < 2 || height < 2)
      throw new BrokenValue('image', `the image has ${width}x${height} pixels, on which nothing can be seen`);
    if (width * height > maxPixels)
      throw new BrokenValue('image', `the image has ${width}x${height} pixels, more than maxPixels`);
    const bare = pixelsOf(bitmap, width, height);
    const alpha = bare.some((value, i) => i % 4 === 3 && value < 255);
    const colours = alpha ? pixelsOf(bitmap, width, height, background) : bare;
    return {
      pixels: { height, width, channels: 3, data: withoutAlpha(colours) },
      facts: { animated: false, alpha, cmyk: false, turned: false },
    };
  } finally {
    bitmap.close();
  }
}

async function resize(image: ImagePixels, to: Size): Promise<ImagePixels> {
  const { height, width, channels, data } = image;
  if (height === to.height && width === to.width) return image;
  const colours = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++)
      colours[4 * i + channel] = data[i * channels + (channels === 3 ? channel : 0)] as number;
  }
  const bitmap = await createImageBitmap(new ImageData(colours, width, height));
  const resized = withoutAlpha(pixelsOf(bitmap, to.width, to.height));
  bitmap.close();
  const first = (_: unknown, i: number) => resized[3 * i] as number;
  const kept = channels === 3 ? resized : Uint8Array.from({ length: to.width * to.height }, first);
  return { height: to.height, width: to.width, channels, data: kept };
}

/** Red, green, blue and alpha of an image drawn over a whole canvas. */
function pixelsOf(
  bitmap: ImageBitmap,
  width: number,
  height: number,
  background?: string,
): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser has no canvas');
  if (background !== undefined) {
    context.fillStyle = background;
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

function withoutAlpha(colours: Uint8ClampedArray): Uint8Array {
  const data = new Uint8Array((colours.length / 4) * 3);
  for (let i = 0; i < colours.length / 4; i++)
    for (let channel = 0; channel < 3; channel++) data[3 * i + channel] = colours[4 * i + channel] as number;
  return data;
}
