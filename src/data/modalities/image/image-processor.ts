import type { Tensor } from '../../../onnx/tensor.ts';
import { BrokenValue } from '../../broken-value.ts';
import { canonicalJson } from '../../canonical-json.ts';
import { PIXEL_VALUES } from '../../columns.ts';
import type { Example } from '../../split.ts';
import type { Encoded, Measurement, Movement, Processor, View } from '../modality.ts';
import { type ChannelMoments, MomentSums } from './channel-moments.ts';
import { readImageFile } from './image-file.ts';
import { imageFormat } from './image-format.ts';
import type { ImageLibrary } from './image-library.ts';
import { centreCrop, channelsFirst, channelsLast, grey, type ImagePixels, inColour } from './image-pixels.ts';
import { mixUp } from './mixture.ts';
import { pictureUri } from './picture-uri.ts';
import { type Preprocessing, preprocessorConfig, resizedSize } from './preprocessing.ts';
import { allowedPath, imageName, isMisnamed, type RawImage, rawImage } from './raw-image.ts';
import { type Dims, movementOf, type Variation, variationOptions, varyImage } from './variation.ts';

export interface ImageProcessorOptions {
  /** Of every image after preprocessing. */
  readonly dims: Dims;
  readonly preprocessing: Preprocessing;
  /** Whether mean and deviation are those of the training images. */
  readonly isMeasured: boolean;
  /** `#rrggbb`, behind transparent images. */
  readonly background: string;
  /** By channel, around images that are moved. */
  readonly outside: readonly number[];
  readonly maxPixels: number;
  readonly library: ImageLibrary;
  resolvePath(path: string): string;
}

/** Images of one size, kept as bytes [channels, height, width] and normalised when they are read. */
export class ImageProcessor implements Processor {
  readonly hash: string;
  readonly columns: Processor['columns'];
  /** Bytes of an image. */
  readonly #size: number;
  readonly #options: ImageProcessorOptions;
  readonly #moments: ChannelMoments | undefined;
  readonly #tables: readonly Float32Array[];

  constructor(options: ImageProcessorOptions, moments?: ChannelMoments) {
    this.#options = options;
    this.#moments = moments ?? options.preprocessing.normalization;
    const { dims, preprocessing, background, maxPixels, isMeasured, library } = options;
    this.#size = dims.reduce((product, size) => product * size, 1);
    // Not the normalisation: it changes no byte that is kept.
    const { normalization, ...kept } = preprocessing;
    this.hash = canonicalJson({
      modality: 'image',
      dims,
      kept: { ...kept },
      background,
      maxPixels,
      library: library.title,
      normalization: isMeasured ? 'data' : (normalization ?? null),
    });
    this.columns = [{ name: PIXEL_VALUES, type: 'float32', shape: dims, pad: 0, role: 'input' }];
    this.#tables = Array.from({ length: dims[0] }, (_, channel) => this.#table(channel));
    if (options.isMeasured && !moments) {
      this.measure = () => new MomentSums(dims[0]);
      this.measured = (result) => new ImageProcessor(options, result as ChannelMoments);
    }
  }

  /** [channels, height, width] of every image. */
  get dims(): Dims {
    return this.#options.dims;
  }

  /** Where the middle is cut out; the source's own pixels are kept whole. */
  get cutsOff(): boolean {
    return this.#options.preprocessing.crop !== undefined;
  }

  /** How images come to their size. */
  get geometry(): Preprocessing {
    return this.#options.preprocessing;
  }

  get forBackbones(): { channels: number; height: number; width: number } {
    const [channels, height, width] = this.dims;
    return { channels, height, width };
  }

  /** Mean and deviation of each channel (0 to 1), or of all, by which pixels are normalised. */
  get normalization(): ChannelMoments {
    const { mean, deviation } = this.#moments ?? { mean: [0], deviation: [1] };
    const { preprocessing, isMeasured } = this.#options;
    // A file may bring bytes to another range than 0 to 1 before it normalises them.
    const range = isMeasured ? 1 : 255 * preprocessing.rescale;
    if (range === 1) return { mean, deviation };
    return { mean: mean.map((one) => one / range), deviation: deviation.map((one) => one / range) };
  }

  readonly measure?: () => Measurement;
  readonly measured?: (result: unknown) => Processor;

  bytesFor(): number {
    return this.#size;
  }

  async encode(value: unknown): Promise<Encoded> {
    const raw = rawImage(value);
    if ('pixels' in raw) return { bytes: this.#ownPixels(raw), size: [raw.dims[2], raw.dims[1]] };
    const { maxPixels, background, library, resolvePath } = this.#options;
    const bytes =
      'bytes' in raw ? raw.bytes : await readImageFile(allowedPath(raw.path, resolvePath), imageName(raw));
    const { pixels, facts } = await library.decode(bytes, { maxPixels, background });
    const told = Object.entries({ ...facts, misnamed: isMisnamed(raw, imageFormat(bytes)) }).filter(
      ([, is]) => is,
    );
    return {
      bytes: channelsFirst(await this.#fit(pixels)),
      size: [pixels.width, pixels.height],
      shown: imageName(raw),
      ...(told.length > 0 && { facts: Object.fromEntries(told.map(([fact]) => [fact, 1])) }),
    };
  }

  /** The kept bytes of an image whatever size it comes in: also of pixels that a source has decoded itself. */
  async encodeResized(value: unknown): Promise<Uint8Array> {
    const raw = rawImage(value);
    if (!('pixels' in raw)) return (await this.encode(value)).bytes;
    const [channels, height, width] = raw.dims;
    return channelsFirst(
      await this.#fit({ height, width, channels, data: channelsLast(raw.pixels, raw.dims) }),
    );
  }

  /** Of kept bytes those that models are fed from. */
  studentPart(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  /** The variant of an image of other dims that moves as this one would: as far in parts of its size. */
  varyAs(like: Dims, bytes: Uint8Array, { options, ...place }: View): Uint8Array {
    const chosen = variationOf(options ?? {});
    return varyImage(bytes, this.#options.dims, chosen, place, this.#options.outside, like);
  }

  vary(bytes: Uint8Array, { options, ...place }: View): Uint8Array {
    const chosen = variationOf(options ?? {});
    return varyImage(bytes, this.#options.dims, chosen, place, this.#options.outside);
  }

  movement({ options, ...place }: View): Movement {
    return movementOf(this.#options.dims, variationOf(options ?? {}), place);
  }

  decode(bytes: Uint8Array, columns: Readonly<Record<string, Tensor>>, row: number): void {
    const pixels = columns[PIXEL_VALUES]?.data as Float32Array;
    const start = row * this.#size;
    const plane = this.#size / this.#tables.length;
    this.#tables.forEach((table, channel) => {
      const end = (channel + 1) * plane;
      for (let i = channel * plane; i < end; i++) pixels[start + i] = table[bytes[i] as number] as number;
    });
  }

  mix(a: Uint8Array, b: Uint8Array, part: number): Uint8Array {
    return mixUp(a, b, part);
  }

  example(bytes: Uint8Array, shown: Uint8Array): Example {
    return { text: new TextDecoder().decode(shown), picture: pictureUri(bytes, this.#options.dims) };
  }

  files(): Readonly<Record<string, Uint8Array>> {
    const { dims, preprocessing } = this.#options;
    // Readers give a student three channels, whatever a file has.
    const inThree = (list: readonly number[]) =>
      (dims[0] === 1 ? [list[0], list[0], list[0]] : list) as number[];
    const normalization = this.#moments && {
      mean: inThree(this.#moments.mean),
      deviation: inThree(this.#moments.deviation),
    };
    const { normalization: _, ...form } = preprocessing;
    const config = {
      // Of the classes of transformers, the one that does no more than is asked for here.
      image_processor_type: preprocessing.crop ? 'CLIPImageProcessor' : 'ViTImageProcessor',
      ...preprocessorConfig({ ...form, ...(normalization && { normalization }) }),
    };
    return { 'preprocessor_config.json': new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`) };
  }

  /** What each byte of a channel becomes. */
  #table(channel: number): Float32Array {
    const { preprocessing, isMeasured } = this.#options;
    const { mean, deviation } = this.#moments ?? { mean: [], deviation: [] };
    const at = (list: readonly number[], otherwise: number) =>
      list.length === 1 ? (list[0] as number) : (list[channel] ?? otherwise);
    return Float32Array.from({ length: 256 }, (_, byte) => {
      if (isMeasured) return (byte / 255 - at(mean, 0)) / at(deviation, 1);
      // Rounded twice, as transformers.js does, which keeps the rescaled pixels as float32.
      return (Math.fround(preprocessing.rescale * byte) - at(mean, 0)) / at(deviation, 1);
    });
  }

  async #fit(decoded: ImagePixels): Promise<ImagePixels> {
    const { dims, preprocessing, maxPixels, library } = this.#options;
    const to = resizedSize(decoded, preprocessing);
    if (to.height * to.width > maxPixels) {
      throw new BrokenValue(
        'image',
        `the image has ${decoded.width}x${decoded.height} pixels: of these proportions it would become ${to.width}x${to.height} (see maxPixels)`,
      );
    }
    const resized = await library.resize(decoded, to, preprocessing.resample);
    const [channels, height, width] = dims;
    const cut = centreCrop(resized, height, width);
    return channels === 1 ? grey(cut) : inColour(cut);
  }

  /** Pixels that a source has decoded itself, all of one size. */
  #ownPixels({ pixels, dims }: Extract<RawImage, { pixels: Uint8Array }>): Uint8Array {
    const own = this.#options.dims;
    const isSame = dims.every((size, axis) => size === own[axis]) && pixels.length === this.#size;
    if (isSame) return pixels;
    const form = ([channels, height, width]: readonly number[]) =>
      `${width}x${height} in ${channels} channel${channels === 1 ? '' : 's'}`;
    throw new BrokenValue('image', `the image is ${form(dims)}, the others ${form(own)}`);
  }
}

const VARIATIONS = new WeakMap<object, Variation>();

/** What a recipe's options say of images; read once, for they are asked about every image. */
function variationOf(options: object): Variation {
  let variation = VARIATIONS.get(options);
  if (!variation) {
    variation = variationOptions.strip().parse(options);
    VARIATIONS.set(options, variation);
  }
  return variation;
}
