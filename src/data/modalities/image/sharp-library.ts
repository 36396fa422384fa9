import type Sharp from 'sharp';
import { hexOf, latin1Of } from '../../../platform/bytes.ts';
import { nodePackage } from '../../../platform/node-modules.ts';
import { BrokenValue } from '../../broken-value.ts';
import { damagedImage } from './damaged-image.ts';
import { type ImageFormat, imageFormat } from './image-format.ts';
import type { DecodedImage, DecodeOptions, ImageLibrary } from './image-library.ts';
import { centreCrop, type ImagePixels, inColour } from './image-pixels.ts';
import type { Resampling, Size } from './preprocessing.ts';

/** For one image; a damaged one must not stop a run. */
const SECONDS_PER_IMAGE = 30;

/** Images with fewer pixels along a side are placeholders, on which nothing can be seen. */
const LEAST_SIDE = 2;

/** Loaded when it is wanted: a page loads this module, and never that package. */
function loadSharp(): typeof Sharp {
  return nodePackage<typeof Sharp>('sharp', import.meta.url);
}

/** The decoder of Node: libvips through `sharp`, with one thread and no cache, so that its memory is that of one image. */
export function sharpLibrary(): ImageLibrary {
  const sharp = loadSharp();
  sharp.cache(false);
  sharp.concurrency(1);
  return { title: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`, decode, resize };
}

async function decode(bytes: Uint8Array, { maxPixels, background }: DecodeOptions): Promise<DecodedImage> {
  const sharp = loadSharp();
  const format = imageFormat(bytes);
  if (!format) throw new BrokenValue('image', notAnImage(bytes));
  const open = () =>
    // Its limit stands for headers that lie differently to different readers; `error` passes over warnings, which files
    // that everybody shows have, but not over missing bytes.
    sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true }).timeout({
      seconds: SECONDS_PER_IMAGE,
    });
  const metadata = await orBroken(format, () => sharp(bytes, { limitInputPixels: false }).metadata());
  const { width, height, pages = 1, hasAlpha, space, orientation = 1 } = metadata;
  if (width < LEAST_SIDE || height < LEAST_SIDE)
    throw new BrokenValue('image', `the image has ${width}x${height} pixels, on which nothing can be seen`);
  if (width * height > maxPixels) {
    const [has, allowed] = [width * height, maxPixels].map((count) => `${Math.round(count / 1e6)}`);
    throw new BrokenValue(
      'image',
      `the image has ${width}x${height} pixels (${has} million; at most ${allowed} are decoded, see maxPixels)`,
    );
  }
  const { data, info } = await orBroken(format, () => {
    const turned = open().autoOrient();
    const opaque = hasAlpha ? turned.flatten({ background }) : turned;
    return opaque
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
  });
  if (info.channels !== 1 && info.channels !== 3)
    throw new Error(`decoded an image of ${info.channels} channels`);
  return {
    pixels: inColour({ height: info.height, width: info.width, channels: info.channels, data }),
    facts: {
      animated: pages > 1,
      alpha: hasAlpha === true,
      cmyk: space === 'cmyk',
      turned: orientation > 1,
    },
  };
}

/** The library's refusals as those of a row. */
async function orBroken<T>(format: ImageFormat, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw damagedImage(format, error);
  }
}

function notAnImage(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'the file is empty';
  const first = bytes.subarray(0, 16);
  const isText = first.every((byte) => byte >= 0x20 && byte < 0x7f);
  const begins = isText ? `'${latin1Of(first)}'` : `the bytes ${hexOf(first.subarray(0, 8))}`;
  return `it is no PNG, JPEG, WebP or GIF image: it begins with ${begins}`;
}

async function resize(image: ImagePixels, to: Size, resample: Resampling): Promise<ImagePixels> {
  const { height, width, channels, data } = image;
  if (height === to.height && width === to.width) return image;
  const raw = loadSharp()(data, { raw: { height, width, channels: channels as 1 | 3 } });
  // As transformers.js in Node: interpolation takes single pixels of the image, and Lanczos the mean over an area.
  const resized =
    resample === 'lanczos'
      ? raw.resize({ width: to.width, height: to.height, fit: 'fill', kernel: 'lanczos3' })
      : raw.affine([to.width / width, 0, 0, to.height / height], { interpolator: resample });
  const result = await resized.raw().toBuffer({ resolveWithObject: true });
  const { info } = result;
  const pixels = { height: info.height, width: info.width, channels: info.channels, data: result.data };
  // An affine transformation may round to a pixel more or less.
  return centreCrop(pixels, to.height, to.width);
}
