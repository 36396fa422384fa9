import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { AutoProcessor, RawImage } from '@huggingface/transformers';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../../crc32.ts';
import { LimbeckError } from '../../../errors.ts';
import { zeros } from '../../../onnx/tensor.ts';
import { randomStream } from '../../../random.ts';
import { BrokenValue } from '../../broken-value.ts';
import { PIXEL_VALUES } from '../../columns.ts';
import { temporaryFolders } from '../../testing/temporary-folder.ts';
import type { Processor } from '../modality.ts';
import { image } from './image.ts';
import type { ImageProcessor } from './image-processor.ts';

const newFolder = temporaryFolders();
let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});

const open = (options: object, context: object = {}) =>
  image.open(image.options.parse(options), {
    input: 'image',
    fields: ['image'],
    maxLength: 0,
    buckets: [],
    resolvePath: (path) => join(folder, path),
    ...context,
  }) as Promise<Processor>;

/** A photo-like image: smooth colours with some noise. */
function scene(width: number, height: number, channels: 3 | 4 = 3) {
  const random = randomStream(1, 'scene');
  const data = Buffer.alloc(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
    const colour = [200 * x, 255 * y, 127 + 127 * Math.sin(9 * x + 7 * y)];
    for (let c = 0; c < 3; c++)
      data[i * channels + c] = Math.min(255, (colour[c] as number) + random.integer(20));
    if (channels === 4) data[i * 4 + 3] = x < 0.5 ? 0 : 255;
  }
  return sharp(data, { raw: { width, height, channels } });
}

/** The column of one image. */
async function pixelsOf(processor: Processor, raw: unknown): Promise<Float32Array> {
  const { bytes } = await processor.encode(raw);
  const shape = processor.columns[0]?.shape as readonly number[];
  const pixels = zeros('float32', [1, ...shape]);
  processor.decode(bytes, { [PIXEL_VALUES]: pixels }, 0, {});
  return pixels.data as Float32Array;
}

describe('what a shipped student sees in transformers.js', () => {
  const forms = {
    'resized to the shorter edge, the middle cut out': {
      size: { shortest_edge: 32 },
      do_resize: true,
      do_center_crop: true,
      crop_size: { height: 32, width: 32 },
      resample: 1,
    },
    'as CLIP has it, bicubic': {
      size: { shortest_edge: 48 },
      do_resize: true,
      do_center_crop: true,
      crop_size: 40,
      resample: 3,
    },
    'stretched, bilinear': { size: { height: 24, width: 40 }, do_resize: true, resample: 2 },
    'smaller, which black surrounds': {
      do_resize: false,
      do_center_crop: true,
      crop_size: { height: 250, width: 270 },
    },
  };
  const files = {
    'photo.jpg': () => scene(97, 61).jpeg().toBuffer(),
    'icon.png': () => scene(64, 64).png().toBuffer(),
    'grey.png': () => scene(50, 80).greyscale().png().toBuffer(),
    'turned.jpg': () => scene(60, 90).jpeg().withMetadata({ orientation: 6 }).toBuffer(),
    'picture.webp': () => scene(33, 200).webp().toBuffer(),
  };

  test.each(Object.keys(forms))('%s', async (form) => {
    const config = {
      ...forms[form as keyof typeof forms],
      image_processor_type: 'CLIPImageProcessor',
      do_normalize: true,
      image_mean: [0.48, 0.46, 0.41],
      image_std: [0.27, 0.26, 0.28],
    };
    const student = join(folder, form.replace(/\W/g, ''));
    mkdirSync(student, { recursive: true });
    writeFileSync(join(student, 'preprocessor_config.json'), JSON.stringify(config));
    const reader = await AutoProcessor.from_pretrained(student, { local_files_only: true });
    const ours = await open({ preprocessor: join(form.replace(/\W/g, ''), 'preprocessor_config.json') });
    for (const [name, make] of Object.entries(files)) {
      const bytes = await make();
      const theirs = await reader(await RawImage.fromBlob(new Blob([new Uint8Array(bytes)])));
      const row = await pixelsOf(ours, { bytes, path: name });
      const difference = largestDifference(row, theirs.pixel_values.data);
      expect(difference, `${name}: ${theirs.pixel_values.dims}`).toBeLessThan(1e-6);
    }
    const again = JSON.parse(new TextDecoder().decode(ours.files()['preprocessor_config.json']));
    expect(again).toMatchObject({ do_normalize: true, image_mean: config.image_mean });
  });

  test('and the file that ships says what the recipe said', async () => {
    const ours = await open({
      size: 32,
      normalization: { mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.2, 0.3] },
    });
    const student = join(folder, 'shipped');
    mkdirSync(student);
    writeFileSync(
      join(student, 'preprocessor_config.json'),
      ours.files()['preprocessor_config.json'] as Uint8Array,
    );
    const reader = await AutoProcessor.from_pretrained(student, { local_files_only: true });
    const bytes = await scene(97, 61).png().toBuffer();
    const theirs = await reader(await RawImage.fromBlob(new Blob([new Uint8Array(bytes)])));
    expect(theirs.pixel_values.dims).toEqual([1, 3, 32, 32]);
    const row = await pixelsOf(ours, { bytes });
    expect(largestDifference(row, theirs.pixel_values.data)).toBeLessThan(1e-6);
  });
});

describe('files of all kinds', () => {
  test('an EXIF orientation is followed', async () => {
    const processor = await open({ size: 32 });
    const upright = await scene(60, 40).png().toBuffer();
    const plain = await processor.encode({ bytes: await sharp(upright).rotate(90).png().toBuffer() });
    const turned = await processor.encode({
      bytes: await sharp(upright).withMetadata({ orientation: 6 }).png().toBuffer(),
    });
    expect(turned.bytes).toEqual(plain.bytes);
    expect(turned.facts).toEqual({ turned: 1 });
  });

  test('transparent parts show the background', async () => {
    const bytes = await scene(32, 32, 4).png().toBuffer();
    const white = await (await open({ size: 32 })).encode({ bytes });
    const red = await (await open({ size: 32, background: '#ff0000' })).encode({ bytes });
    const corner = ({ bytes }: { bytes: Uint8Array }) => [bytes[0], bytes[1024], bytes[2048]];
    expect([corner(white), corner(red)]).toEqual([
      [255, 255, 255],
      [255, 0, 0],
    ]);
    expect(white.facts).toEqual({ alpha: 1 });
  });

  test('CMYK becomes RGB, and grey has three equal channels or one', async () => {
    const processor = await open({ size: 16 });
    const cmyk = await scene(40, 40).toColourspace('cmyk').jpeg().toBuffer();
    const encoded = await processor.encode({ bytes: cmyk });
    expect(encoded.facts).toEqual({ cmyk: 1 });
    expect(encoded.bytes).toHaveLength(3 * 256);
    const grey = await scene(40, 40).greyscale().png().toBuffer();
    const { bytes } = await processor.encode({ bytes: grey });
    expect(bytes.subarray(0, 256)).toEqual(bytes.subarray(512));
    const one = await (await open({ size: 16, channels: 1 })).encode({ bytes: grey });
    expect(one.bytes).toEqual(bytes.subarray(0, 256));
  });

  test('of an animated image the first frame is taken, and it is told', async () => {
    const frames = await Promise.all([0, 200].map((red) => solid(20, 20, [red, 10, 10]).png().toBuffer()));
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const { bytes, facts } = await (await open({ size: 16 })).encode({ bytes: gif, path: 'a.gif' });
    expect(facts).toEqual({ animated: 1, alpha: 1 });
    expect(bytes[0]).toBeLessThan(20);
  });

  test('a wrong ending is told; the content counts', async () => {
    const bytes = await scene(32, 32).jpeg().toBuffer();
    writeFileSync(join(folder, 'wrong.png'), bytes);
    const { facts, shown } = await (await open({ size: 16 })).encode('wrong.png');
    expect([facts, shown]).toEqual([{ misnamed: 1 }, 'wrong.png']);
  });

  test("the hub's Image feature, bytes beside a path, and pixels that are decoded already", async () => {
    const bytes = await scene(32, 32).png().toBuffer();
    const processor = await open({ size: 16 });
    const fromHub = await processor.encode({ bytes, path: 'x.png' });
    expect(fromHub.bytes).toEqual((await processor.encode(bytes)).bytes);
    const dims = [1, 2, 2] as const;
    const own = await open({}, { declared: { dims } });
    expect(await own.encode({ pixels: Uint8Array.of(1, 2, 3, 4), dims })).toEqual({
      bytes: Uint8Array.of(1, 2, 3, 4),
      size: [2, 2], // what boxes in pixels are read by
    });
  });
});

describe('images that break their row', () => {
  const broken = async (raw: unknown, options: object = { size: 16 }) => {
    const processor = await open(options);
    const error = await Promise.resolve()
      .then(() => processor.encode(raw))
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BrokenValue);
    return (error as BrokenValue).message;
  };

  test('one pixel', async () => {
    expect(await broken({ bytes: await solid(1, 1, [1, 2, 3]).png().toBuffer() })).toContain('1x1 pixels');
  });

  test('20,000x20,000, before it is decoded', async () => {
    const began = process.memoryUsage().rss;
    const bytes = pngHeader(20_000, 20_000);
    expect(await broken({ bytes })).toContain('20000x20000 pixels (400 million; at most 50 are decoded');
    expect(process.memoryUsage().rss - began).toBeLessThan(100e6);
  });

  test('4 GB promised in a header of 33 bytes', async () => {
    const began = process.memoryUsage().rss;
    expect(await broken({ bytes: pngHeader(65_535, 16_384) })).toContain('65535x16384 pixels');
    // Within the limit, and no data follows.
    expect(await broken({ bytes: pngHeader(7000, 7000) })).toContain('the PNG image is damaged');
    expect(process.memoryUsage().rss - began).toBeLessThan(400e6);
  });

  test.each(['jpeg', 'png', 'webp', 'gif'] as const)('a truncated %s', async (format) => {
    const whole = await scene(200, 200).toFormat(format).toBuffer();
    expect(await broken({ bytes: whole.subarray(0, whole.length / 2) })).toMatch(/image is damaged: /);
    expect(await broken({ bytes: whole.subarray(0, 20) })).toMatch(/image is damaged: /);
  });

  test('no image at all', async () => {
    expect(await broken({ bytes: Buffer.from('<html>404</html>') })).toContain(
      "begins with '<html>404</html>'",
    );
    expect(await broken({ bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') })).toContain(
      'no PNG',
    );
    expect(await broken({ bytes: new Uint8Array() })).toBe('the file is empty');
    expect(await broken('missing.png')).toBe('there is no file missing.png');
    expect(await broken('https://example.org/a.png')).toContain('download it first');
    expect(await broken(null)).toBe('there is no image');
    expect(await broken(17)).toBe('there is no image');
    mkdirSync(join(folder, 'folder.png'));
    expect(await broken('folder.png')).toContain('it is a folder, not a file');
  });

  test('a path that leads out of the folders that are allowed', async () => {
    const processor = await open(
      { size: 16 },
      {
        resolvePath: () => {
          throw new LimbeckError('data.outside', 'the path leads out of the folder');
        },
      },
    );
    await expect(processor.encode('../x.png')).rejects.toThrow('leads out of the folder (../x.png)');
    await expect(processor.encode('../x.png')).rejects.toBeInstanceOf(BrokenValue);
  });

  test('a line that resizing would make endless', async () => {
    const bytes = await solid(2, 40_000, [0, 0, 0]).png().toBuffer();
    expect(await broken({ bytes }, { size: 224 })).toContain('it would become 224x4480000');
  });
});

test('mean and deviation are of pixels from 0 to 1, whatever range a file brings bytes to', async () => {
  const config = {
    size: { height: 2, width: 2 },
    rescale_factor: 1 / 127.5,
    do_normalize: true,
    image_mean: [1, 1, 1],
    image_std: [0.5, 0.5, 0.5],
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'twice.json'), JSON.stringify(config));
  const processor = (await open({ preprocessor: 'twice.json' })) as unknown as ImageProcessor;
  const { mean, deviation } = processor.normalization;
  const pixels = zeros('float32', [1, 3, 2, 2]);
  processor.decode(new Uint8Array(12).fill(51), { [PIXEL_VALUES]: pixels }, 0);
  expect(pixels.data[0]).toBeCloseTo((51 / 255 - mean[0]!) / deviation[0]!, 5);
  expect(pixels.data[0]).toBeCloseTo((51 / 127.5 - 1) / 0.5, 5);
});

test('mean and deviation are measured on the training images', async () => {
  const processor = await open({ size: 2, normalization: 'data' });
  const measurement = processor.measure?.();
  measurement?.add(Uint8Array.of(0, 0, 255, 255, 51, 51, 51, 51, 0, 255, 0, 0));
  const result = measurement?.result();
  expect(result).toEqual({ mean: [0.5, 0.2, 0.25], deviation: [0.5, 0.001, 0.433] });
  const measured = processor.measured?.(result) as Processor;
  const pixels = zeros('float32', [1, 3, 2, 2]);
  measured.decode(new Uint8Array(12).fill(255), { [PIXEL_VALUES]: pixels }, 0, {});
  expect([...(pixels.data as Float32Array)].map((x) => Math.round(x))).toEqual([
    1, 1, 1, 1, 800, 800, 800, 800, 2, 2, 2, 2,
  ]);
});

test('images without a size are refused', async () => {
  await expect(async () => open({})).rejects.toMatchObject({ code: 'data.options' });
});

const largestDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), a.length - b.length);

const solid = (width: number, height: number, [r, g, b]: [number, number, number]) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

/** A PNG file that ends after its header and an empty part of data. */
function pngHeader(width: number, height: number): Buffer {
  const chunk = (name: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(content.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.alloc(100))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

test('refuses sizes from files of models that no memory holds', async () => {
  const huge = { resize: { height: 1e9, width: 1e9 }, resample: 'bilinear', rescale: 1 / 255 };
  await expect(async () => open({ size: 8 }, { teacherImages: [huge] })).rejects.toMatchObject({
    code: 'data.options',
    message: 'the teacher wants images of 1000000000x1000000000 pixels; sides may have 1 to 4096',
  });
  writeFileSync(
    join(folder, 'huge.json'),
    JSON.stringify({ size: { height: 10_000, width: 8 }, do_resize: true, resample: 2 }),
  );
  await expect(async () => open({ preprocessor: 'huge.json' })).rejects.toMatchObject({
    code: 'data.options',
    remedy: 'Set a smaller size in it, or inputs.image.size in its place.',
  });
});
