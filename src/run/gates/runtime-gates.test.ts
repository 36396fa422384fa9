import { expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { heaviestLayers } from './costly-layers.ts';
import { requireOwnTimes } from './require-runtimes.ts';
import { verdictOf } from './runtime-gates.ts';
import { sameBounds } from './same-bounds.ts';

test.each([
  ['a time of which every start is below', { value: 4, interval: { low: 3, high: 5 } }, 'lower', 'within'],
  ['a time of which every start is above', { value: 7, interval: { low: 6, high: 8 } }, 'lower', 'beyond'],
  [
    'a time of which some starts are above',
    { value: 4.9, interval: { low: 4, high: 6 } },
    'lower',
    'unclear',
  ],
  ['a size as large as the bound', { value: 5 }, 'lower', 'within'],
  [
    'an accuracy of which the interval is above',
    { value: 7, interval: { low: 6, high: 8 } },
    'higher',
    'within',
  ],
  [
    'an accuracy of which the interval is below',
    { value: 3, interval: { low: 2, high: 4 } },
    'higher',
    'beyond',
  ],
  ['an accuracy that may be enough', { value: 4, interval: { low: 3, high: 6 } }, 'higher', 'unclear'],
  ['no number', { value: Number.NaN }, 'lower', 'beyond'],
] as const)('%s, against a bound of 5', (_what, measured, better, verdict) => {
  expect(verdictOf(measured, 5, better)).toBe(verdict);
});

test('the heaviest layers are told in bytes, shared weights once', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4]);
  const small = g.constant(float32(new Float32Array(16), [4, 4]));
  const large = g.constant(float32(new Float32Array(32), [4, 8]));
  const twice = g.matMul(g.matMul(x, small), small);
  g.output(g.relu(g.matMul(twice, large)), 'y');
  expect(heaviestLayers(g.build()).map(({ cost }) => cost)).toEqual([128, 64]);
});

test('times of a graphics card are not measured on a processor that stands in for one', () => {
  const software = { title: 'webgpu on swiftshader', isSoftware: true, seconds: 1 };
  const bounded = (bounds: object) => ({ on: 'webgpu', file: 'f32', threads: 1, bounds }) as const;
  expect(() => requireOwnTimes(bounded({ p50: 5, bytes: 9 }), software)).toThrow(
    expect.objectContaining({ code: 'measure.no-runtime', where: 'export.gate.webgpu.p50' }),
  );
  requireOwnTimes(bounded({ metric: 0.5, bytes: 9 }), software);
  requireOwnTimes(bounded({ p50: 5 }), { ...software, isSoftware: false });
});

test('a result is of the bounds that a recipe has, or of others', () => {
  const recipe = (gate: object) =>
    ({ export: { int8: { maxDrop: 0.01 }, q4: false, fp16: false, gate } }) as never;
  const gate = {
    on: 'wasm',
    file: 'int8',
    threads: 1,
    bounds: [{ kind: 'p50', allowed: 5, value: 4, verdict: 'within' }],
    passed: true,
  } as const;
  const same = (bounds: object, runtimeGates: object[], own: object | null = null) =>
    sameBounds(recipe(bounds), { runtimeGates, gate: own } as never);
  expect(same({ wasm: { p50: 5, threads: 1 } }, [gate])).toBe(true);
  expect(same({ wasm: { p50: 6, threads: 1 } }, [gate])).toBe(false);
  expect(same({ wasm: { p50: 5, bytes: 9, threads: 1 } }, [gate])).toBe(false);
  expect(same({ wasm: { p50: 5, threads: 2 } }, [gate])).toBe(false);
  expect(same({ wasm: { p50: 5, threads: 1, file: 'f32' } }, [gate])).toBe(false);
  expect(same({}, [gate])).toBe(false);
  expect(same({}, [])).toBe(true);
  expect(same({ wasm: { p50: 5, threads: 1 } }, [])).toBe(false);
  // The int8 file was kept back for what it loses.
  expect(same({ wasm: { p50: 5, threads: 1 } }, [], { passed: false })).toBe(true);
});
