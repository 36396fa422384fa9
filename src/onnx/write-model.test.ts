import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float, subgraph, toAttributes } from './attributes.ts';
import type { Graph, Node, Value } from './graph.ts';
import { checkGraph } from './passes/check-graph.ts';
import { readModel } from './read-model.ts';
import { ModelProtoSchema } from './schema/onnx.gen.ts';
import { float32, int64 } from './tensor.ts';
import { anyGraph } from './testing/any-graph.ts';
import { ARITHMETIC_FEEDS, arithmeticGraph } from './testing/arithmetic-graph.ts';
import { describeGraph } from './testing/describe-graph.ts';
import { runGraph } from './testing/run-graph.ts';
import { writeModel, writeModelWithExternalData } from './write-model.ts';

const value = (name: string, shape: Value['shape'] = [2]): Value => ({ name, type: 'float32', shape });

function graphOf(nodes: readonly Node[], inputs: readonly Value[], outputs: readonly Value[]): Graph {
  return {
    name: 'g',
    inputs,
    outputs,
    nodes,
    initializers: new Map(),
    opsets: new Map([['', 18]]),
    metadata: new Map(),
  };
}

function node(opType: string, inputs: Node['inputs'], outputs: Node['outputs'], attributes = {}): Node {
  return { name: opType, opType, domain: '', inputs, outputs, attributes: toAttributes(attributes) };
}

describe('writeModel', () => {
  it('writes what readModel reads back: any graph', () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        checkGraph(graph);
        const bytes = writeModel(graph);
        const back = readModel(bytes);
        checkGraph(back);
        expect(describeGraph(back)).toEqual(describeGraph(graph));
        expect(writeModel(back)).toEqual(bytes);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('writes the same graph as the same bytes', () => {
    const plan = {
      steps: Array.from({ length: 20 }, (_, i) => ({ kind: i, left: i, right: 3 * i })),
      outputs: [1],
    };
    expect(writeModel(arithmeticGraph(plan))).toEqual(writeModel(arithmeticGraph(plan)));
  });

  it('writes what ONNX Runtime runs', async () => {
    const [x, y, sum, scaled] = [
      value('x', [2, 3]),
      value('y', [2, 3]),
      value('sum', [2, 3]),
      value('out', [2, 3]),
    ];
    const w = value('w', [3]);
    const nodes = [node('Add', [x, y], [sum]), node('Mul', [sum, w], [scaled])];
    const graph = {
      ...graphOf(nodes, [x, y], [scaled]),
      initializers: new Map([[w, float32([1, 10, 100])]]),
    };
    const { out } = await runGraph(graph, ARITHMETIC_FEEDS);
    expect(Array.from(out!.data as Float32Array)).toEqual([3, 30, 200, 5, 70, -300]);
  });

  it('writes "to the end" (the largest int64, which no number holds) as the largest int64', async () => {
    const [x, y] = [value('x', [4]), value('y', ['n'])];
    const ends = node('Slice', [x], [y], { starts: [1], ends: [Number(2n ** 63n - 1n)], axes: [0] });
    const graph = { ...graphOf([ends], [x], [y]), opsets: new Map([['', 9]]) };
    const proto = fromBinary(ModelProtoSchema, writeModel(graph));
    const written = proto.graph!.node[0]!.attribute.find(({ name }) => name === 'ends');
    expect(written!.ints).toEqual([2n ** 63n - 1n]);
    const { y: rest } = await runGraph(graph, { x: float32([1, 2, 3, 4]) });
    expect(Array.from(rest!.data as Float32Array)).toEqual([2, 3, 4]);
  });

  it('keeps a subgraph that reads outer values, and ONNX Runtime runs it', async () => {
    const [x, y, out] = [value('x'), value('y'), value('out')];
    const condition: Value = { name: 'condition', type: 'bool', shape: [] };
    const branch = (opType: string) => {
      const result = value(`${opType} result`);
      return subgraph({ ...graphOf([node(opType, [x, y], [result])], [], [result]), name: opType });
    };
    const choose = node('If', [condition], [out], { then_branch: branch('Add'), else_branch: branch('Sub') });
    const graph = graphOf([choose], [condition, x, y], [out]);
    expect(describeGraph(readModel(writeModel(graph)))).toEqual(describeGraph(graph));
    const feeds = { x: float32([5, 7]), y: float32([1, 2]) };
    for (const [bit, wanted] of [
      [1, [6, 9]],
      [0, [4, 5]],
    ] as const) {
      const tensor = { type: 'bool' as const, dims: [], data: Uint8Array.of(bit) };
      const results = await runGraph(graph, { condition: tensor, ...feeds });
      expect(Array.from(results.out!.data as Float32Array)).toEqual(wanted);
    }
  });

  it('refuses graphs in which a name means two values, or a value nothing', () => {
    const [x, y] = [value('x'), value('y')];
    expect(() => writeModel(graphOf([node('Neg', [x], [value('x')])], [x], [x]))).toThrow(
      "two values are called 'x'",
    );
    expect(() => writeModel(graphOf([node('Neg', [y], [value('z')])], [x], [x]))).toThrow(
      "reads 'y', which nothing",
    );
    expect(() => writeModel(graphOf([node('Neg', [value('x')], [y])], [x], [y]))).toThrow(
      "reads 'x', which nothing",
    );
    expect(() => writeModel(graphOf([], [x, x], [x]))).toThrow("'x' is defined twice");
    expect(() => writeModel(graphOf([], [x], [y]))).toThrow("output 'y'");
  });

  it('refuses an input without a type, as a problem of the model', () => {
    const x: Value = { name: 'x', type: undefined, shape: undefined };
    expect(() => writeModel(graphOf([], [x], [x]))).toThrow(
      expect.objectContaining({ code: 'model.untyped-input' }),
    );
  });
});

describe('writeModelWithExternalData', () => {
  const weights = [float32(new Float32Array(300).fill(1.5)), float32([1, 2]), int64(new Array(200).fill(7))];
  const initializers = new Map(
    weights.map((w, i) => [{ name: `w${i}`, type: w.type, shape: w.dims } as Value, w]),
  );
  const graph: Graph = { ...graphOf([], [], [...initializers.keys()]), initializers };

  it('puts large tensors at aligned places of the data, small ones into the model', () => {
    const { model, data } = writeModelWithExternalData(graph, { fileName: 'model.onnx_data' });
    const file = Buffer.concat([...data]);
    const asked: unknown[] = [];
    const back = readModel(model, {
      externalData: (location, offset, length) => {
        asked.push([location, offset, length]);
        return file.subarray(offset, offset + length);
      },
    });
    expect(describeGraph(back)).toEqual(describeGraph(graph));
    expect(asked).toEqual([
      ['model.onnx_data', 0, 1200],
      ['model.onnx_data', 1216, 1600],
    ]);
    expect(file.byteLength).toBe(2816);
  });

  it('keeps nothing in the model when the threshold is 0', () => {
    const { data } = writeModelWithExternalData(graph, { fileName: 'd', threshold: 0 });
    expect(Buffer.concat([...data]).byteLength).toBe(1216 + 64 + 1600);
  });

  it('is an error to read without the data', () => {
    const { model } = writeModelWithExternalData(graph, { fileName: 'd' });
    expect(() => readModel(model)).toThrow(expect.objectContaining({ code: 'model.external-data' }));
  });

  it('does not count a float attribute as an int', () => {
    const [x, y] = [value('x'), value('y')];
    const back = readModel(writeModel(graphOf([node('LeakyRelu', [x], [y], { alpha: float(1) })], [x], [y])));
    expect(back.nodes[0]!.attributes.get('alpha')).toEqual({ kind: 'float', value: 1 });
  });
});
