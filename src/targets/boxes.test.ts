import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { termsOfOutputs } from '../objectives/label-terms.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildStudent } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { adamw } from '../train/adamw.ts';
import { compileForward } from '../train/compile-step.ts';
import { trainStudent } from '../train/training-loop.ts';
import { type BoxSpace, centreRadius, foundBoxes, SIZE_CHANNELS, trueBoxes } from './box-grid.ts';
import { boxes } from './boxes.ts';
import { boxesTruth } from './boxes-truth.ts';
import { openHead } from './head.ts';
import type { AnyTarget } from './target.ts';

const GRID = [8, 8] as const;
const SPACE: BoxSpace = { names: ['dark', 'light'], rows: 8, columns: 8, most: 3 };
const CELLS = 64;
const CONTEXT = { output: 'boxes', field: 'boxes', title: 'rows.jsonl', notes: [] };

const emptyColumns = (rows: number): Record<string, Tensor> => ({
  labels: tensor('float32', [rows, 6, 8, 8], new Float32Array(rows * 6 * CELLS).fill(Number.NaN)),
  'labels/list': tensor('float32', [rows, 3, 5], new Float32Array(rows * 15).fill(Number.NaN)),
});

const readerOf = (options: Parameters<typeof boxesTruth>[0]) => boxesTruth(options).begin(CONTEXT);
const row = { where: 'rows.jsonl:1', encoded: {} };

describe('boxes', () => {
  it('are read in three forms, and written so that they can be read back', () => {
    const truth = boxesTruth({ grid: GRID });
    const reader = truth.begin(CONTEXT);
    const value = reader.read(
      [
        { label: 'light', x: 0.1, y: 0.2, width: 0.3, height: 0.25 },
        { label: 'dark', bbox: [0.5, 0.5, 0.25, 0.5] },
        { label: 'dark', left: 0.75, top: 0, right: 1, bottom: 0.25 },
      ],
      row,
    ) as number[];
    const { space, final = (same: number[]) => same } = reader.finish();
    expect(space).toEqual(SPACE);
    const columns = emptyColumns(1);
    const list = columns['labels/list']!.data as Float32Array;
    expect(trueBoxes(list)).toBeUndefined();
    truth.live!.write(columns, 0, space, 'labels', undefined);
    expect((columns.labels!.data as Float32Array).every(Number.isNaN)).toBe(true);
    truth.write(final(value), columns, 0, space, 'labels');
    truth.live!.write(columns, 0, space, 'labels', undefined);
    const back = trueBoxes(list) as {
      class: number;
      box: readonly number[];
    }[];
    expect(back.map(({ class: kind }) => kind)).toEqual([1, 0, 0]);
    expect(back[0]!.box.map((edge) => Number(edge.toFixed(5)))).toEqual([0.1, 0.2, 0.4, 0.45]);
    expect(back[1]!.box.map((edge) => Number(edge.toFixed(5)))).toEqual([0.5, 0.5, 0.75, 1]);
    // Heat falls off around a centre, and sizes stand at centres alone.
    const data = columns.labels!.data as Float32Array;
    expect(data.subarray(0, CELLS).filter((size) => !Number.isNaN(size))).toHaveLength(3);
    expect(data.subarray(SIZE_CHANNELS * CELLS).filter((heat) => heat === 1)).toHaveLength(3);
  });

  it('break rows that have none', () => {
    const pixels = readerOf({ grid: GRID, imageSize: [100, 50] });
    const [, x, y, width, height] = pixels.read(
      [{ label: 'a', x: 50, y: 25, width: 10, height: 10 }],
      row,
    ) as number[];
    expect([x, y, width, height].map((number) => Number(number!.toFixed(5)))).toEqual([0.55, 0.6, 0.1, 0.2]);
    const reader = readerOf({ grid: GRID });
    const wrong = (raw: unknown) => () => reader.read(raw, row);
    expect(wrong([{ label: 'a', x: 0, y: 0, width: 0, height: 1 }])).toThrow(/without an area/);
    expect(wrong([{ x: 0, y: 0, width: 1, height: 1 }])).toThrow(/without a label/);
    expect(wrong([{ label: 'a', x: 20, y: 30, width: 40, height: 50 }])).toThrow(/parts of width and height/);
    for (const no of [Number.NaN, null, '', 'NaN', '0x2', 'Infinity'])
      expect(wrong([{ label: 'a', box: [0, no, 0.5, 0.5] }])).toThrow(/is no number: number 1/);
    expect(wrong([{ label: 'a', box: [0, 0, 1] }])).toThrow(/which has no four numbers/);
    expect(
      readerOf({ grid: GRID }).read([{ label: 'a', box: ['0', '1e-1', ' .5', '+0.5'] }], row),
    ).toHaveLength(5);
    expect(wrong('no list')).toThrow(/no JSON list/);
    expect(reader.read('[]', row)).toEqual([]);
    expect(() => reader.finish()).toThrow(/no row has a box/);
  });

  it('are counted in the unit and the format that is stated', () => {
    const read = (options: object, box: unknown, size?: readonly [number, number]) =>
      readerOf({ grid: GRID, ...options }).read([{ label: 'a', box }], {
        where: 'rows.jsonl:1',
        encoded: size ? { image: { bytes: new Uint8Array(), size } } : {},
      });
    const middle = [0, 0.5, 0.5, 0.5, 0.5];
    expect(read({ format: 'xywh' }, [0.25, 0.25, 0.5, 0.5])).toEqual(middle);
    expect(read({ format: 'xyxy' }, [0.25, 0.25, 0.75, 0.75])).toEqual(middle);
    expect(read({ format: 'cxcywh' }, ['0.5', '0.5', '0.5', '0.5'])).toEqual(middle);
    expect(read({ unit: 'pixels', format: 'xyxy' }, [50, 25, 150, 75], [200, 100])).toEqual(middle);
    expect(() => read({ unit: 'pixels' }, [1, 1, 2, 2])).toThrow(/no image/);
  });

  it('are counted in the size of the image that they were drawn in, where they say it', () => {
    const read = (imageSize: unknown, size: readonly [number, number]) =>
      readerOf({ grid: GRID, unit: 'pixels' }).read([{ label: 'a', box: [160, 120, 320, 240], imageSize }], {
        where: 'a.json:1',
        encoded: { image: { bytes: new Uint8Array(), size } },
      });
    expect(read([640, 480], [320, 240])).toEqual([0, 0.5, 0.5, 0.5, 0.5]);
    expect(read('large', [640, 480])).toEqual([0, 0.5, 0.5, 0.5, 0.5]);
    expect(() => read([640, 480], [480, 640])).toThrow(/image of 640x480, and the image has 480x640/);
  });

  it('are refused as pixels where they are parts of width and height', () => {
    const reader = readerOf({ grid: GRID, unit: 'pixels', imageSize: [640, 480] });
    reader.read([{ label: 'a', box: [0.25, 0.25, 0.5, 0.75] }], row);
    expect(() => reader.finish()).toThrow(/lie within the first pixel/);
    reader.read([{ label: 'a', box: [1, 2, 3, 4] }], row);
    expect(() => reader.finish()).not.toThrow();
  });

  it.each([
    ['one that begins far to the left of the image', [-0.1, 0, 0.5, 0.5], /outside of the image: number 1/],
    ['one that ends below it', [0.5, 0.6, 0.4, 0.5], /outside of the image/],
    ['one without a width', [0.5, 0.5, 0, 0.1], /without an area/],
    ['one of negative height', [0.5, 0.5, 0.1, -0.1], /without an area/],
    ['one that is not a number', [Number.NaN, 0.5, 0.1, 0.1], /is no number/],
    ['one of texts', ['a', 'b', 'c', 'd'], /is no number/],
    ['three numbers', [0.1, 0.1, 0.1], /without an area/],
    ['no numbers', undefined, /without an area/],
  ])('break a row with %s', (_, box, problem) => {
    expect(() => readerOf({ grid: GRID }).read([{ label: 'a', box }], row)).toThrow(problem);
  });

  it('break a row with a class that is not declared, and are cut off where they reach out by rounding alone', () => {
    const declared = { classes: { names: ['a', 'b'], where: 'a.json' } };
    const reader = boxesTruth({ grid: GRID }).begin({ ...CONTEXT, declared });
    expect(() => reader.read([{ label: 'c', box: [0, 0, 0.5, 0.5] }], row)).toThrow(/'c' in 'boxes'/);
    const [kind, x, , width] = reader.read([{ label: 'b', box: [-0.01, 0, 0.51, 0.5] }], row) as number[];
    expect([kind, x, width]).toEqual([1, 0.25, 0.5]);
    expect((reader.finish().space as BoxSpace).names).toEqual(['a', 'b']);
  });

  it('spread their centres as far as the overlap stays', () => {
    const r = centreRadius(10, 10, 0.7);
    const overlap = (10 - r) ** 2 / (2 * 100 - (10 - r) ** 2);
    expect(r).toBeGreaterThan(0.5);
    expect(overlap).toBeGreaterThan(0.69);
  });

  it('are found again at the peaks of the heat maps', () => {
    const data = new Float32Array(6 * CELLS).fill(-9);
    const put = (channel: number, cell: number, value: number) => {
      data[channel * CELLS + cell] = value;
    };
    [2, 4, 0.5, 0.5].forEach((value, channel) => {
      put(channel, 27, value);
    });
    put(SIZE_CHANNELS + 1, 27, 3);
    put(SIZE_CHANNELS + 1, 28, 1);
    const found = foundBoxes(data, SPACE);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ class: 1, box: [2.5 / 8, 1.5 / 8, 4.5 / 8, 5.5 / 8] });
  });

  it('are refused with their key where no such grid can be made of the map', () => {
    const build = (grid: [number, number]) =>
      buildStudent({
        backbone: resnet,
        options: resnet.options.parse({ width: 8, stages: 2, blocks: 1 }),
        inputs: { channels: 1, height: 12, width: 12 },
        heads: [
          openHead({
            output: 'things',
            target: boxes as unknown as AnyTarget,
            options: boxes.options.parse({ grid, width: 8 }),
            space: { ...SPACE, rows: grid[0], columns: grid[1] },
            labels: 'labels',
          }),
        ],
        random: randomStream(1, 'student'),
      });
    expect(build([12, 6]).graph.outputs[0]?.shape?.slice(2)).toEqual([12, 6]);
    expect(() => build([7, 5])).toThrow(
      expect.objectContaining({ code: 'recipe.invalid', where: 'outputs.things.grid' }),
    );
  });

  it('are learnt by a small network from squares on images', async () => {
    const random = randomStream(1, 'squares');
    const head = openHead({
      output: 'boxes',
      target: boxes as unknown as AnyTarget,
      options: boxes.options.parse({ grid: [8, 8], width: 16 }),
      space: SPACE,
      labels: 'labels',
    });
    const student = buildStudent({
      backbone: resnet,
      options: resnet.options.parse({ width: 8, stages: 2, blocks: 1 }),
      inputs: { channels: 1, height: 16, width: 16 },
      heads: [head],
      random: randomStream(1, 'student'),
    });
    const truth = boxesTruth({ grid: [8, 8] });
    const make = (rows: number): Record<string, Tensor> => {
      const pixels = new Float32Array(rows * 256);
      const columns = {
        ...emptyColumns(rows),
        pixel_values: tensor('float32', [rows, 1, 16, 16], pixels),
        row_weights: tensor('float32', [rows], new Float32Array(rows).fill(1)),
      };
      for (let i = 0; i < rows; i++) {
        const size = 4 + random.integer(3);
        const [x, y, kind] = [random.integer(16 - size), random.integer(16 - size), random.integer(2)];
        for (let r = y; r < y + size; r++)
          for (let c = x; c < x + size; c++) pixels[i * 256 + r * 16 + c] = kind === 0 ? -1 : 1;
        const value = [kind, (x + size / 2) / 16, (y + size / 2) / 16, size / 16, size / 16];
        truth.write(value, columns, i, SPACE, 'labels');
        truth.live!.write(columns, i, SPACE, 'labels', undefined);
      }
      return columns;
    };
    const engine = createNodeEngine({ threads: 1 });
    const terms = termsOfOutputs([{ output: 'boxes', objective: boxes.objective.labels }], {
      classes: 2,
      mainOutput: 'boxes',
    });
    const sizes = { batch: 16 };
    const test = make(32);
    const [precision] = head.metrics;
    const { best } = await trainStudent({
      engine,
      student,
      variants: { all: sizes },
      terms,
      optimizer: adamw({ weightDecay: 0.001 }),
      schedule: { peak: 0.01, totalSteps: 160, warmup: 0.05, decay: 'cosine' },
      batches: { batchesPerEpoch: 160, batch: () => ({ variant: 'all', rows: 16, feeds: make(16) }) },
      evaluateEvery: 80,
      async evaluate(parameters) {
        const session = await engine.load(writeModel(compileForward(student, { batch: 32 }, ['boxes'])));
        const feeds: Record<string, Tensor> = { pixel_values: test.pixel_values! };
        for (const [value, content] of student.graph.initializers) {
          const data = parameters.get(value.name);
          if (data) feeds[value.name] = { ...content, data };
        }
        const { boxes: answer } = await session.run(feeds, { boxes: null });
        await session.release();
        const state = precision!.start();
        const ordinals = Uint32Array.from({ length: 32 }, (_, i) => i);
        precision!.add(state, answer as Tensor, { filled: 32, ordinals, columns: test });
        return { [precision!.name]: precision!.value(state) };
      },
      selection: { metric: precision! },
    });
    expect(best.evaluation['mAP@50']).toBeGreaterThan(0.5);
  });
});
