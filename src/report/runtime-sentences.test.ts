import { expect, test } from 'vitest';
import { CLASS_METRICS } from './result.ts';
import { type RuntimeGate, runtimeGateSchema, studentShips } from './runtime-gates.ts';
import { runtimeLines, shutRuntimes, unclearRuntime } from './runtime-sentences.ts';

const gate: RuntimeGate = runtimeGateSchema.parse({
  on: 'wasm',
  file: 'int8',
  threads: 1,
  runtime: 'onnxruntime-web 1.30.0, wasm',
  starts: 5,
  calls: 900,
  samples: 400,
  bounds: [
    {
      kind: 'p50',
      allowed: 5,
      value: 6.21,
      interval: { low: 6.1, high: 6.4 },
      verdict: 'beyond',
      layers: [{ layer: 'stem', cost: 0.62 }],
    },
    {
      kind: 'bytes',
      allowed: 400_000,
      value: 520_000,
      verdict: 'beyond',
      layers: [{ layer: 'head', cost: 90_000 }],
    },
    { kind: 'metric', allowed: 0.6, value: 0.61, interval: { low: 0.56, high: 0.66 }, verdict: 'unclear' },
  ],
  passed: false,
});
const plain = (text: string) => text.replaceAll('\u202f', ' ');
const result = { metrics: CLASS_METRICS, runtimeGates: [gate] };

test('bounds that were exceeded are told with their key and the layers that cost most', () => {
  expect(shutRuntimes(result).map(plain)).toEqual([
    'the int8 file takes 6.21 ms in half of all calls (5 starts: 6.1 ms to 6.4 ms) on wasm; the recipe allows 5 ms (export.gate.wasm.p50). Layers that take most of it: stem (62 %)',
    'the int8 file has 520 kB; the recipe allows 400 kB (export.gate.wasm.bytes). Layers with most of them: head (90 kB)',
  ]);
  expect(shutRuntimes({ metrics: CLASS_METRICS })).toEqual([]);
  expect(studentShips(result)).toBe(false);
  expect(studentShips({})).toBe(true);
});

test('one that nobody can tell is told as that, and one that does not run with its reason', () => {
  expect(plain(unclearRuntime(gate, gate.bounds[2]!, CLASS_METRICS[0]!))).toBe(
    'the int8 file reaches accuracy 61.0 % (95 % interval on 400 samples: 56.0 % to 66.0 %) on wasm; the recipe asks for at least 60.0 % (export.gate.wasm.metric): 400 test samples are too few to tell whether it is kept to, so the student ships',
  );
  const { runtime: _, ...none } = { ...gate, bounds: [], problem: 'the model does not run: no kernel' };
  expect(shutRuntimes({ metrics: CLASS_METRICS, runtimeGates: [none] })).toEqual([
    'the int8 file cannot be run on wasm (export.gate.wasm): the model does not run: no kernel',
  ]);
});

test('what was measured is a line for each runtime', () => {
  expect(runtimeLines(result).map(plain)).toEqual([
    'on wasm (onnxruntime-web 1.30.0, wasm, 1 thread), int8: 6.21 ms in half of all calls (5 starts: 6.1 ms to 6.4 ms) (beyond), at most 5 ms; 520 kB (beyond), at most 400 kB; accuracy 61.0 % (95 % interval on 400 samples: 56.0 % to 66.0 %) (unclear), at least 60.0 %',
  ]);
});
