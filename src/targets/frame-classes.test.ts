import { describe, expect, it } from 'vitest';
import { frameAuroc } from '../metrics/frame-auroc.ts';
import { tensor } from '../onnx/tensor.ts';
import { frameClasses } from './frame-classes.ts';

const truth = frameClasses.truth(frameClasses.options.parse({}), {});
const begin = () => truth.begin({ output: 'logits', field: 'speech', title: 'the data', notes: [] });
const row = { where: 'row 1', encoded: {} };

describe('classes of frames', () => {
  it('are read from lists of numbers or names, and as JSON', () => {
    const reader = begin();
    expect(reader.read([0, 1, 1], row)).toEqual([0, 1, 1]);
    expect(reader.read(Uint8Array.of(1, 0, 0), row)).toEqual([1, 0, 0]);
    expect(reader.read(['speech', 'silence', null], row)).toEqual([1, 0, -1]);
    expect(reader.read('[0, -1, 1]', row)).toEqual([0, -1, 1]);
    expect(reader.read(undefined, row)).toBeUndefined();
    const { space } = reader.finish();
    expect(space).toEqual({ names: ['silence', 'speech'], frames: 3 });
    const [column] = truth.columns(space, 'labels');
    expect(column).toMatchObject({ shape: [3], pad: -1 });
    const labels = tensor('int32', [2, 3], new Int32Array(6).fill(-1));
    truth.write([0, 1, 1], { labels }, 1, space, 'labels');
    expect(Array.from(labels.data as Int32Array)).toEqual([-1, -1, -1, 0, 1, 1]);
  });

  it.each([
    [
      'of another length',
      [
        [0, 1],
        [0, 1, 1],
      ],
      /3 frames, other rows 2/,
    ],
    ['of no class', [[0, 2]], /'2' in 'speech' is no class/],
    ['with another name', [['noise', 'speech']], /'noise'/],
    ['that are none', ['speech'], /no list/],
    ['without any', [[]], /no list/],
  ])('%s break their row', (_, rows, problem) => {
    const reader = begin();
    expect(() => {
      for (const one of rows) reader.read(one, row);
    }).toThrow(problem);
  });

  it('that no row has are refused', () => {
    expect(() => begin().finish()).toThrow(/no row has classes of frames/);
  });

  it('are judged by the area over all frames', () => {
    const metric = frameAuroc();
    const state = metric.start();
    const logits = tensor('float32', [2, 2, 2], Float32Array.of(0, -1, 0, 2, 0, 1, 0, 0));
    const labels = tensor('int32', [2, 2], Int32Array.of(0, 1, 0, -1));
    metric.add(state, logits, { filled: 2, ordinals: Uint32Array.of(0, 1), columns: { labels } });
    // Scores -1 and 1 of silence, 2 of speech: every pair is in order.
    expect(metric.value(state)).toBe(1);
    const worse = metric.start();
    const other = tensor('int32', [2, 2], Int32Array.of(0, 1, 1, 0));
    metric.add(worse, logits, { filled: 2, ordinals: Uint32Array.of(0, 1), columns: { labels: other } });
    expect(metric.value(worse)).toBe(1);
    const wrong = metric.start();
    const turned = tensor('int32', [2, 2], Int32Array.of(1, 0, 1, 0));
    metric.add(wrong, logits, { filled: 2, ordinals: Uint32Array.of(0, 1), columns: { labels: turned } });
    expect(metric.value(wrong)).toBe(0.25);
  });
});
