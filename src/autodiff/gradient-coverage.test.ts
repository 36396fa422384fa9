import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { float32, tensor } from '../onnx/tensor.ts';
import { compile } from '../run/compile.ts';
import { differentiate } from '../run/differentiate.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-coverage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** x w + b and what `more` adds to it; logits and loss are outputs. */
function write(more: (g: GraphBuilder, x: TypedValue, y: TypedValue) => TypedValue): string {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2, 3]);
  const y = g.add(
    g.matMul(x, g.initializer('w', float32(new Float32Array(6), [3, 2]))),
    g.initializer('b', float32([0, 0])),
  );
  const logits = g.identity(more(g, x, y), 'logits');
  g.output(logits);
  g.output(g.reduceMean(logits, { keepDims: false }), 'loss');
  writeModelFile(at('model.onnx'), g.build());
  return at('model.onnx');
}
const big = (g: GraphBuilder, name: string) => g.initializer(name, float32(new Float32Array(30), [3, 10]));

it('says nothing where everything gets a gradient', async () => {
  const result = await differentiate(
    write((_g, _x, y) => y),
    { loss: 'loss', out: at('grad.onnx') },
  );
  expect(result.warning).toBeUndefined();
  expect(result.withoutGradient).toEqual([]);
});

it('tells loudly where most of the model gets none, and why', async () => {
  const model = write((g, x, y) => {
    const path = g.matMul(x, big(g, 'lost'));
    const best = g.op('ArgMax', [path], { axis: 1, keepdims: 1 }, { name: 'best' });
    const rounded = g.op('Round', [g.reduceSum(g.matMul(x, big(g, 'rounded')), { axes: [1] })]);
    const codes = g.initializer('codes', tensor('int8', [2], Int8Array.of(1, 2)));
    const bias = g.op('DequantizeLinear', [codes, g.initializer('scale', float32([0.5], []))]);
    g.initializer('unused', float32([1, 2]));
    return g.add(g.add(g.add(y, bias), g.cast(best, 'float32')), rounded);
  });
  const { warning, withoutGradient } = await differentiate(model, { loss: 'loss', out: at('grad.onnx') });
  expect(warning).toMatch(/^MOST OF THE MODEL GETS NO GRADIENT: 4 of 6 weights \(64 of 72 numbers\)/);
  expect(Object.fromEntries(withoutGradient.map(({ name, reason }) => [name, reason]))).toEqual({
    lost: "ArgMax 'best' makes int64 of it, through which no gradient flows",
    rounded: 'the operators between have no slope, as Round and Sign',
    codes: 'int8: only floats have gradients',
    unused: 'the loss does not depend on it',
  });
  const { warnings, description } = await compile(model, {
    objectives: [{ kind: 'labels' }],
    output: 'logits',
    out: at('step.onnx'),
  });
  expect(warnings.join()).toMatch(/^MOST OF THE MODEL GETS NO GRADIENT: /);
  expect(description.frozen).toContainEqual({
    name: 'lost',
    reason: expect.stringContaining("ArgMax 'best'"),
  });
});

it('does not warn of what was frozen on purpose', async () => {
  const { warnings } = await compile(
    write((_g, _x, y) => y),
    {
      objectives: [{ kind: 'labels' }],
      output: 'logits',
      freeze: ['w'],
      out: at('step.onnx'),
    },
  );
  expect(warnings).toEqual([]);
});
