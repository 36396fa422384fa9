import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { bindDims } from '../onnx/passes/bind-dims.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { attachHead } from './classifier.ts';

/** An "encoder" that hands its input on. */
function encoder(): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 2]);
  g.output(g.identity(x, 'sentence_embedding'));
  return g.build('tiny');
}

async function run(model: Graph, rows: number[]): Promise<Record<string, number[]>> {
  const session = await createNodeEngine().load(writeModel(model));
  const outputs = await session.run({ x: float32(rows, [rows.length / 2, 2]) });
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
}

const linear = { weight: float32([1, 2, 3, 4, 5, 6], [2, 3]), bias: float32([0.5, 0, -0.5]) };

describe('attachHead', () => {
  it('adds logits and keeps the embedding', async () => {
    const model = attachHead(encoder(), linear);
    expect(model.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['logits', ['batch', 3]],
      ['sentence_embedding', ['batch', 2]],
    ]);
    const outputs = await run(model, [1, 0, 0, 2]);
    expect(outputs.logits).toEqual([1.5, 2, 2.5, 8.5, 10, 11.5]);
    expect(outputs.sentence_embedding).toEqual([1, 0, 0, 2]);
  });

  it.each(['tanh', 'relu'] as const)('puts a hidden layer with %s before it', async (activation) => {
    const hidden = { weight: float32([1, -1, 0, 1], [2, 2]), bias: float32([0, 0.25]), activation };
    const f = activation === 'tanh' ? Math.tanh : (x: number) => Math.max(x, 0);
    const [a, b] = [f(2), f(-2 + 1 + 0.25)];
    const { logits } = await run(attachHead(encoder(), { ...linear, hidden }), [2, 1]);
    [a + 4 * b + 0.5, 2 * a + 5 * b, 3 * a + 6 * b - 0.5].forEach((expected, i) => {
      expect(logits[i]).toBeCloseTo(expected, 5);
    });
  });

  it('names the parameters as a head that is trained on its own', () => {
    const hidden = { weight: float32([1, 0, 0, 1], [2, 2]), bias: float32([0, 0]) };
    const model = attachHead(encoder(), { ...linear, hidden });
    expect([...model.initializers.keys()].map((value) => value.name).sort()).toEqual([
      'head/bias',
      'head/hidden/bias',
      'head/hidden/weight',
      'head/weight',
    ]);
    expect(bindDims(model, { batch: 5 }).outputs[0].shape).toEqual([5, 3]);
  });

  it('fails on a head that does not fit', () => {
    expect(() => attachHead(encoder(), { ...linear, bias: float32([1]) })).toThrow('do not fit');
    const wide = { weight: float32([1, 2, 3], [3, 1]), bias: float32([1]) };
    expect(() => attachHead(encoder(), wide)).toThrow('weight [3, 1] and bias [1] do not fit');
    expect(() => attachHead(encoder(), linear, 'x')).toThrow('no output x');
  });

  it('says which operator of an encoder it does not know', () => {
    const tiny = encoder();
    const nodes = tiny.nodes.map((node) => ({ ...node, opType: 'Exotic', domain: 'org.example' }));
    // What the file declares of the operator's result is enough; here it declares nothing.
    expect(attachHead({ ...tiny, nodes }, linear).outputs.map(({ name }) => name)).toContain('logits');
    const silent = tiny.nodes.map((node, i) => ({
      ...nodes[i],
      outputs: node.outputs.map((value) => value && { name: value.name, type: undefined, shape: undefined }),
    }));
    const outputs = silent
      .flatMap((node) => node.outputs)
      .filter((value) => value?.name === tiny.outputs[0].name);
    const act = () => attachHead({ ...tiny, nodes: silent, outputs: outputs as Value[] }, linear);
    expect(act).toThrow(LimbeckError);
    try {
      act();
    } catch (error) {
      expect((error as LimbeckError).code).toBe('teacher.operator');
      expect((error as LimbeckError).where).toContain('org.example::Exotic');
    }
  });
});
