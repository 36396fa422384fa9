import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { differentiateModel } from '../src/autodiff/differentiate-model.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { readModel } from '../src/onnx/read-model.ts';
import { type Tensor, tensor, toNumbers } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';

// What PyTorch exported, and PyTorch's gradients: pytorch-gradients/README.md.
const FOLDER = join(import.meta.dirname, 'pytorch-gradients', 'cases');

interface Case {
  inputs: { name: string; type: 'float32' | 'int64'; dims: number[]; data: number[] }[];
  loss: number;
  gradients: Record<string, { norm: number; products: number[] }>;
}

const cases = readdirSync(FOLDER).flatMap((file) =>
  file.endsWith('.json.gz') ? [file.slice(0, -'.json.gz'.length)] : [],
);
const unpacked = (file: string) => gunzipSync(readFileSync(join(FOLDER, file)));
const engine = createNodeEngine({ threads: 1 });
/** Of the norm of each parameter's gradient. */
const TOLERANCE = 1e-3;

function feedOf({ type, dims, data }: Case['inputs'][number]): Tensor {
  return type === 'int64'
    ? tensor('int64', dims, BigInt64Array.from(data, BigInt))
    : tensor('float32', dims, Float32Array.from(data));
}

/** As `directions` of scripts/pytorch-cases/generate.py. */
function products(gradient: readonly number[]): number[] {
  return [0, 1, 2].map((k) =>
    gradient.reduce((sum, value, i) => sum + value * Math.sin((k + 1) * 0.7 * i + k), 0),
  );
}

it('has models of both exporters', () => {
  expect(cases.filter((name) => name.includes('.torchscript.')).length).toBeGreaterThan(20);
  expect(cases.filter((name) => name.includes('.dynamo.')).length).toBeGreaterThan(10);
});

it.each(cases)('%s has the gradients of PyTorch', async (name) => {
  const expected = JSON.parse(unpacked(`${name}.json.gz`).toString('utf8')) as Case;
  const model = readModel(unpacked(`${name}.onnx.gz`), { title: name });
  const { graph } = differentiateModel(model, { loss: 'loss' });
  const session = await engine.load(writeModel(graph), { title: name });
  const taken = new Set(graph.inputs.map((input) => input.name));
  const feeds = Object.fromEntries(
    expected.inputs.filter((input) => taken.has(input.name)).map((input) => [input.name, feedOf(input)]),
  );
  const results = await session.run(feeds);
  await session.release();
  expect(toNumbers(results.loss as Tensor)[0]).toBeCloseTo(expected.loss, 3);
  const wrong = Object.entries(expected.gradients).filter(([parameter, { norm, products: wanted }]) => {
    const gradient = results[`grad/${parameter}`];
    if (!gradient) return true;
    const values = toNumbers(gradient);
    const norm2 = values.reduce((sum, value) => sum + value * value, 0);
    const found = [Math.sqrt(norm2), ...products(values)];
    return [norm, ...wanted].some((value, i) => !(Math.abs(found[i]! - value) <= TOLERANCE * norm));
  });
  expect(wrong.map(([parameter]) => parameter)).toEqual([]);
  expect(Object.keys(expected.gradients).length).toBeGreaterThan(0);
});
