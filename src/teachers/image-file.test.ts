import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LimbeckError } from '../errors.ts';
import type { Dim, Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { float32 } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { type ImageFileOptions, openImageFile } from './image-file.ts';
import { type DataPixels, forDataPixels } from './image-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-image-'));
const path = join(folder, 'model.onnx');
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A classifier whose scores are the sums of its image's channels. */
function classifier(inputs: readonly (readonly [string, readonly Dim[]])[], channelsLast = false): void {
  mkdirSync(folder, { recursive: true });
  const g = new GraphBuilder();
  const [pixels] = inputs.map(([name, shape]) => g.input(name, 'float32', shape));
  g.output(g.reduceSum(pixels!, { axes: channelsLast ? [1, 2] : [2, 3], keepDims: false }), 'output');
  writeModelFile(path, g.build());
}

function open(more: Partial<ImageFileOptions> = {}) {
  return openImageFile({ model: path, ...more });
}

function errorOf(more: Partial<ImageFileOptions> = {}): LimbeckError {
  try {
    open(more);
  } catch (error) {
    return error as LimbeckError;
  }
  throw new Error('it was opened');
}

/** Two channels of 2x2 pixels. */
const PIXELS = [1, 2, 3, 4, 10, 20, 30, 40];
async function scores(graph: Graph, pixels = PIXELS, dims = [1, 2, 2, 2]): Promise<number[]> {
  const { logits } = await runGraph(graph, { pixel_values: float32(pixels, dims) });
  return [...(logits!.data as Float32Array)];
}

describe('a teacher of images', () => {
  it.each(['pixel_values', 'image', 'input', 'x', 'data_0'])('may call its input %s', async (name) => {
    classifier([[name, ['batch', 2, 2, 2]]]);
    const source = open();
    expect(source.dims).toEqual([2, 2, 2]);
    expect(source.model.inputs.map((input) => input.name)).toEqual(['pixel_values']);
    expect(await scores(source.model)).toEqual([10, 100]);
    expect(source.notes?.some((note) => note.includes(`'${name}' takes the image`))).toBe(
      name !== 'pixel_values',
    );
  });

  it('may take the channels last', async () => {
    classifier([['image', ['batch', 2, 2, 3]]], true);
    const source = open();
    expect(source.dims).toEqual([3, 2, 2]);
    expect(source.notes).toContainEqual(expect.stringContaining('[height, width, channels]'));
    expect(await scores(source.model, [...PIXELS, 0, 0, 0, 7], [1, 3, 2, 2])).toEqual([10, 100, 7]);
  });

  it('is asked for the name of its input only where two could be it', () => {
    classifier([
      ['a', ['batch', 2, 2, 2]],
      ['b', ['batch', 2, 2, 2]],
    ]);
    expect(errorOf()).toMatchObject({
      code: 'teacher.inputs',
      message: expect.stringContaining("'a' or 'b'"),
    });
    expect(errorOf({ input: 'c' }).message).toContain("no input 'c'");
    expect(errorOf({ input: 'a' }).message).toContain("nothing can be given to the input 'b'");
  });

  it('is refused where it takes one image at a time, or none', () => {
    classifier([['x', [1, 2, 2, 2]]]);
    expect(errorOf().message).toContain('takes 1 image at a time');
  });

  it('may leave its size open', async () => {
    classifier([['x', ['batch', 2, 'height', 'width']]]);
    const source = open();
    expect(source.dims).toEqual([2, undefined, undefined]);
    const bound = forDataPixels(source.model, source.pixels, data(2));
    expect(bound.inputs[0]!.shape).toEqual(['batch', 2, 2, 2]);
    expect(await scores(bound)).toEqual([10, 100]);
  });
});

/** Pixels of a data set with the mean 0.5 and the deviation 0.25 in each channel. */
function data(channels: number): DataPixels {
  const same = (value: number) => new Array<number>(channels).fill(value);
  return { dims: [channels, 2, 2], normalization: { mean: same(0.5), deviation: same(0.25) } };
}

describe('its preprocessor_config.json', () => {
  const bytes = [0, 51, 102, 255, 0, 0, 255, 255];
  const normalized = bytes.map((byte) => (byte / 255 - 0.5) / 0.25);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

  it.each<[string, object, (byte: number, channel: number) => number]>([
    [
      'mean and deviation',
      { image_mean: [0.1, 0.2], image_std: [0.5, 2] },
      (byte, c) => (byte / 255 - [0.1, 0.2][c]!) / [0.5, 2][c]!,
    ],
    [
      'a factor',
      { rescale_factor: 1 / 127.5, image_mean: [1, 1], image_std: [1, 1] },
      (byte) => byte / 127.5 - 1,
    ],
    ['no rescaling', { do_rescale: false, do_normalize: false }, (byte) => byte],
    [
      'no normalisation',
      { do_normalize: false, image_mean: [9, 9], image_std: [9, 9] },
      (byte) => byte / 255,
    ],
  ])('is what its pixels are brought to: %s', async (_, config, wanted) => {
    classifier([['x', ['batch', 2, 2, 2]]]);
    writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
    const source = open();
    expect(source.notes?.some((note) => note.includes('preprocessor_config'))).toBe(false);
    const [a, b] = await scores(forDataPixels(source.model, source.pixels, data(2)), normalized);
    expect(a).toBeCloseTo(sum(bytes.slice(0, 4).map((byte) => wanted(byte, 0))), 3);
    expect(b).toBeCloseTo(sum(bytes.slice(4).map((byte) => wanted(byte, 1))), 3);
  });

  it('may want blue before red, after mean and deviation', async () => {
    classifier([['x', ['batch', 3, 2, 2]]]);
    const config = { do_flip_channel_order: true, image_mean: [0.1, 0.2, 0.3], image_std: [1, 1, 1] };
    writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
    const source = open();
    const pixels = [0, 1, 2].flatMap((channel) => new Array<number>(4).fill(channel));
    const seen = await scores(forDataPixels(source.model, source.pixels, data(3)), pixels, [1, 3, 2, 2]);
    // A pixel p of the data is the byte 255 * (0.25 p + 0.5).
    const wanted = [0, 1, 2].map((channel) => 4 * (0.25 * channel + 0.5 - [0.1, 0.2, 0.3][channel]!));
    expect(seen).toEqual(wanted.reverse().map((value) => expect.closeTo(value, 5)));
    expect(source.preprocessing).toMatchObject({ resize: { height: 2, width: 2 } });
  });

  it('may be the part of a processor_config.json, and is told where it asks for what is not done here', () => {
    classifier([['x', ['batch', 3, 2, 2]]]);
    const image_processor = { do_pad: true, do_rescale: true, image_mean: [0.1], image_std: [0.2] };
    writeFileSync(join(folder, 'processor_config.json'), JSON.stringify({ image_processor }));
    const source = open();
    expect(source.pixels).toEqual({ scale: 1 / 255, mean: [0.1], deviation: [0.2] });
    expect(source.notes).toContainEqual(expect.stringContaining('do_pad'));
    expect(source.notes).not.toContainEqual(expect.stringContaining('no preprocessor_config.json'));
  });

  it('changes nothing where the data are normalised so, and is missed where it is not there', () => {
    classifier([['pixel_values', ['batch', 2, 2, 2]]]);
    expect(open().notes).toEqual([
      expect.stringContaining("only output 'output'"),
      expect.stringContaining('no preprocessor_config.json'),
    ]);
    writeFileSync(
      join(folder, 'preprocessor_config.json'),
      '{"image_mean": [0.5, 0.5], "image_std": [0.25, 0.25]}',
    );
    const source = open();
    expect(forDataPixels(source.model, source.pixels, data(2))).toBe(source.model);
    writeFileSync(join(folder, 'preprocessor_config.json'), '{"image_mean": "x"}');
    expect(errorOf().code).toBe('teacher.config');
  });

  it.each([{ rescale_factor: 1e300 }, { image_std: [1e-320], image_mean: [0] }])(
    'is refused where it leaves no pixel a number: %j',
    (config) => {
      classifier([['x', ['batch', 2, 2, 2]]]);
      writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
      const source = open();
      expect(() => forDataPixels(source.model, source.pixels, data(2))).toThrow('no pixel a number');
    },
  );

  it('counts for each of the colours of which a grey image has one', async () => {
    classifier([['x', ['batch', 3, 2, 2]]]);
    const form = { scale: 1 / 255, mean: [0, 0.5, 1], deviation: [1] };
    const graph = forDataPixels(open().model, form, data(1));
    expect(graph.inputs[0]!.shape).toEqual(['batch', 1, 2, 2]);
    const grey = await scores(graph, normalized.slice(0, 4), [1, 1, 2, 2]);
    [1.6, -0.4, -2.4].forEach((value, c) => {
      expect(grey[c]).toBeCloseTo(value, 4);
    });
  });
});
