import * as ortWeb from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { OrtModule } from '../engine/ort-session.ts';
import { createWebEngine } from '../engine/web.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { fromFloat16, toFloat16 } from '../onnx/half-float.ts';
import { readModel } from '../onnx/read-model.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { toHalfPrecision } from './half-precision.ts';
import { largestValues } from './largest-values.ts';
import { randomTensor } from './testing/random-tensor.ts';

const node = createNodeEngine({ threads: 1 });
const web = createWebEngine({ ort: ortWeb as unknown as OrtModule });

/** A table, attention-like scores with a mask of -1e9, a branch beyond float16, and two outputs. */
function network(scale = 1): Graph {
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['batch', 4]);
  const rows = g.op('Gather', [g.initializer('table', randomTensor('table', [20, 8])), ids]);
  const [left, right] = g.node('Split', [rows, g.ints([4, 4])], { axis: -1 }, { outputs: 2 });
  const hidden = g.relu(
    g.add(
      g.matMul(left!, g.initializer('w', randomTensor('w', [4, 6]))),
      g.initializer('b', randomTensor('b', [6])),
    ),
  );
  const mask = g.where(g.greaterOrEqual(ids, 10), g.initializer('hidden', float32([-1e9])), g.scalar(0));
  const scores = g.softmax(g.add(g.reduceMean(hidden, { axes: [2], keepDims: false }), mask), -1);
  g.output(scores, 'scores');
  const far = g.mul(g.matMul(right!, g.initializer('v', randomTensor('v', [4, 3]))), 1e5 * scale);
  g.output(g.matMul(g.mul(far, 1e-5 / scale), g.initializer('u', randomTensor('u', [3, 2]))), 'y');
  return g.build();
}

const FEEDS = { ids: int64([1, 2, 3, 4, 5, 6, 11, 12], [2, 4]) };

describe('float16', () => {
  it('answers nearly as float32 does, in Node and in WebAssembly, with inputs and outputs as they were', async () => {
    const graph = network();
    const half = readModel(
      writeModel(toHalfPrecision(graph, { largest: await largestValues(graph, node, [FEEDS]) })),
    );
    expect(half.outputs.map(({ name, type }) => [name, type])).toEqual([
      ['scores', 'float32'],
      ['y', 'float32'],
    ]);
    const run = async (of: Graph, engine: Pick<typeof node, 'load'>) => {
      const session = await engine.load(writeModel(of));
      const answers = await session.run(FEEDS);
      await session.release();
      return ['scores', 'y'].flatMap((name) => Array.from((answers[name] as Tensor).data as Float32Array));
    };
    const expected = await run(graph, node);
    for (const engine of [node, web]) {
      const off = (await run(half, engine)).map((value, i) => Math.abs(value - (expected[i] as number)));
      expect(Math.max(...off)).toBeGreaterThan(0);
      expect(Math.max(...off)).toBeLessThan(4e-3);
    }
    const typeOf = new Map([...half.initializers].map(([{ name }, { type }]) => [name, type]));
    expect(
      [...typeOf]
        .filter(([, type]) => type === 'float16')
        .map(([name]) => name)
        .sort(),
    ).toEqual(expect.arrayContaining(['b_half', 'table_half', 'u_half', 'v_half', 'w_half']));
    // What a mask hides and what is beyond float16 stays in float32.
    const inHalf = half.nodes.filter(({ outputs }) => outputs[0]?.type === 'float16');
    expect(inHalf.some(({ opType }) => opType === 'Softmax' || opType === 'ReduceMean')).toBe(false);
    expect(inHalf.filter(({ opType }) => opType === 'Mul')).toEqual([]);
  });

  it('keeps excluded layers in float32, and refuses weights that it cannot hold, with the layer', () => {
    const largest = new Map<string, number>();
    const graph = network();
    for (const { outputs } of graph.nodes) for (const value of outputs) if (value) largest.set(value.name, 1);
    const kept = toHalfPrecision(graph, { largest, exclude: ['w'] });
    expect([...kept.initializers.keys()].map(({ name }) => name)).toEqual(
      expect.arrayContaining(['w', 'v_half']),
    );
    expect(() => toHalfPrecision(graph, { largest, exclude: ['q'] })).toThrow(/no layer called 'q'/);
    const [[value, content]] = [...graph.initializers].filter(([{ name }]) => name === 'v') as [
      [never, Tensor],
    ];
    const large = float32(
      Float32Array.from(content.data as Float32Array, (one) => 1e5 * one),
      content.dims,
    );
    const broken = { ...graph, initializers: new Map([...graph.initializers, [value, large]]) };
    expect(() => toHalfPrecision(broken, { largest })).toThrow(
      /'v' holds -?\d+(\.\d+)?, and float16 ends at 65504/,
    );
  });

  it('rounds weights to the nearest number of float16', () => {
    const graph = network();
    const largest = new Map(
      graph.nodes.flatMap(({ outputs }) => outputs.map((value) => [value?.name ?? '', 1] as const)),
    );
    const half = toHalfPrecision(graph, { largest });
    const words = [...half.initializers].find(([{ name }]) => name === 'w_half')?.[1].data as Uint16Array;
    const exact = randomTensor('w', [4, 6]).data as Float32Array;
    expect([...words].map(fromFloat16)).toEqual([...exact].map((value) => fromFloat16(toFloat16(value))));
  });
});
