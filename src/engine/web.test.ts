import { expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, zeros } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { createWebEngine } from './web.ts';

it('runs on WebAssembly with the same interface', async () => {
  let imports = 0;
  const engine = createWebEngine({
    ort: () => {
      imports++;
      return import('onnxruntime-web/wasm');
    },
  });
  expect(engine.title).toBe('onnxruntime-web, wasm');
  expect(imports).toBe(0);
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['n', 3]);
  g.output(g.softmax(x), 'y');
  const model = writeModel(g.build());
  const session = await engine.load(model, { title: 'the student' });
  const y = zeros('float32', [1, 3]);
  const result = await session.run({ x: float32([0, 0, 0], [1, 3]) }, { y });
  expect(result.y).toBe(y);
  expect([...(y.data as Float32Array)].map((value) => value.toFixed(6))).toEqual([
    '0.333333',
    '0.333333',
    '0.333333',
  ]);
  await expect(session.run({ x: float32([1]) })).rejects.toMatchObject({
    code: 'engine.run',
    message: expect.stringContaining('running the student failed'),
  });
  await expect(engine.load(model.subarray(0, 30))).rejects.toMatchObject({ code: 'engine.load' });
  expect(imports).toBe(1);
  await session.release();
});

it('says when onnxruntime-web cannot be had', async () => {
  const engine = createWebEngine({ ort: () => Promise.reject(new Error('404')) });
  await expect(engine.load(new Uint8Array(1))).rejects.toMatchObject({
    code: 'engine.provider',
    message: expect.stringContaining('404'),
  });
});
