import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { quantizeDynamic } from '../compress/quantize-dynamic.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, toNumbers } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { randomStream } from '../random.ts';
import { linearHead } from '../targets/linear-head.ts';
import { buildStudent } from './build-student.ts';
import { ParameterMaker } from './parameters.ts';
import { wav2vec2 } from './wav2vec2.ts';

const SMALL = {
  ...{ width: 16, heads: 2, layers: 2, feedForward: 32, channels: 8, projection: 8 },
  ...{ kernels: [10, 8, 4], strides: [5, 8, 4], positions: 6, positionGroups: 4 },
};
const options = (overrides: Record<string, unknown> = {}) =>
  wav2vec2.options.parse({ ...SMALL, ...overrides });

/** With a class for each clip, and one for each frame. */
const build = (overrides: Record<string, unknown> = {}) =>
  buildStudent({
    backbone: wav2vec2,
    options: options(overrides),
    inputs: { samplingRate: 8000 },
    heads: [
      linearHead(3),
      {
        output: 'frames',
        features: 'tokens',
        attach: (_g, _make, features) => features.project('frames', 2),
      },
    ],
    random: randomStream(1, 'student'),
  });

const waveforms = (rows: number, samples: number) => {
  const random = randomStream(2, 'waveforms');
  return float32(
    Array.from({ length: rows * samples }, () => random.normal()),
    [rows, samples],
  );
};

describe('wav2vec2', () => {
  it('answers a clip alike alone and in a batch, with a frame for as many samples as the strides make', async () => {
    const { graph } = build();
    const both = waveforms(2, 1600);
    const first = float32(toNumbers(both).slice(0, 1600), [1, 1600]);
    const [together, alone] = [
      await runGraph(graph, { input_values: both }),
      await runGraph(graph, { input_values: first }),
    ];
    // (1600 - 10) / 5 + 1 = 319, (319 - 8) / 8 + 1 = 39, (39 - 4) / 4 + 1 = 9, rounded down.
    expect(alone.frames?.dims).toEqual([1, 9, 2]);
    const [one, two] = [alone.logits, together.logits].map((value) => toNumbers(value as Tensor)) as [
      number[],
      number[],
    ];
    one.forEach((value, i) => {
      expect(two[i]).toBeCloseTo(value, 5);
    });
  });

  it('has numbers for silence, and hears where in a clip something is', async () => {
    const { graph } = build();
    const clicks = new Float32Array(3 * 1600);
    clicks.set([1, -1, 1, -1], 1600 + 200);
    clicks.set([1, -1, 1, -1], 3200 + 1200);
    const { logits } = await runGraph(graph, { input_values: float32([...clicks], [3, 1600]) });
    const values = toNumbers(logits as Tensor);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.slice(3, 6)).not.toEqual(values.slice(6, 9));
  });

  it('has a gradient for each parameter', () => {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, randomStream(1, 'gradients'));
    const { pooled } = wav2vec2.build(g, make, options(), { samplingRate: 8000, samples: 800 });
    const logits = pooled?.().project('classifier', 3) as TypedValue;
    const parameters = [...g.initializers.keys()].filter(({ name }) => make.names.includes(name));
    const loss = g.reduceSum(g.square(logits), { keepDims: false });
    expect(parameters.length).toBeGreaterThan(40);
    expect(gradients(g, loss, parameters as TypedValue[]).includes(null)).toBe(false);
  });

  it('has its convolutions over the waveform among the products that int8 is made for', () => {
    const { nodes } = quantizeDynamic(build().graph);
    const products = nodes.filter(({ opType }) => opType === 'DynamicQuantizeMatMul');
    expect(products.filter(({ name }) => name.startsWith('feature_extractor/'))).toHaveLength(3);
  });

  it.each([
    [{ heads: 3 }, '3 attention heads do not divide a width of 16'],
    [{ positionGroups: 5 }, '5 groups do not divide a width of 16'],
    [{ strides: [5, 8] }, 'there are 3 kernels and 2 strides'],
  ])('refuses %j', (overrides, message) => {
    expect(() => build(overrides)).toThrow(expect.objectContaining({ code: 'recipe.invalid', message }));
  });

  it('refuses a window that is shorter than its first frame: 25 ms, as it is by default', () => {
    const built = (samples: number) => () => {
      const g = new GraphBuilder();
      const make = new ParameterMaker(g, randomStream(1, 'window'));
      return wav2vec2.build(g, make, wav2vec2.options.parse({ layers: 1 }), {
        samplingRate: 16_000,
        samples,
      });
    };
    expect(built(400)).not.toThrow();
    expect(built(399)).toThrow(
      expect.objectContaining({
        code: 'recipe.invalid',
        message: 'the first frame needs 400 samples, and the window has 399',
      }),
    );
  });
});
