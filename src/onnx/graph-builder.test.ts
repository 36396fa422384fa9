import { describe, expect, it } from 'vitest';
import { GraphBuilder } from './graph-builder.ts';
import { bindDims } from './passes/bind-dims.ts';
import { float32 } from './tensor.ts';

describe('GraphBuilder', () => {
  it('gives every value its type and shape', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 3, 4]);
    const w = g.initializer('w', float32(new Array(20).fill(0), [4, 5]));
    expect(g.matMul(x, w).shape).toEqual(['batch', 3, 5]);
    expect(g.reshape(x, [0, -1]).shape).toEqual(['batch', 12]);
    expect(g.reshape(x, [-1, 4]).shape[1]).toBe(4);
    expect(g.reduceMean(x, { axes: [-1], keepDims: false }).shape).toEqual(['batch', 3]);
    expect(g.slice(x, 2, -3, 100).shape).toEqual(['batch', 3, 3]);
    expect(g.slice(x, 2, 3, -100, -2).shape).toEqual(['batch', 3, 2]);
    expect(g.pad(x, 1, 1, 2).shape).toEqual(['batch', 6, 4]);
    expect(g.concat([x, x], 1).shape).toEqual(['batch', 6, 4]);
    expect(g.greater(x, 0).type).toBe('bool');
    expect(g.oneHot(g.argMax(x), 7).shape).toEqual(['batch', 3, 7]);
  });

  it('fails at the line that makes a mistake, and names the values', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 3]);
    const y = g.input('y', 'float32', [4, 5]);
    expect(() => g.matMul(x, y)).toThrow(
      /MatMul_0 = MatMul\(x: float32\[2, 3\], y: float32\[4, 5\]\).*3 and 4 differ/,
    );
    expect(() => g.add(x, y)).toThrow(/do not broadcast/);
    expect(() => g.input('x', 'float32', [])).toThrow(/taken/);
  });

  it('names no node as one that was copied, whose output has another name', () => {
    const inner = new GraphBuilder();
    const x = inner.input('x', 'float32', [2]);
    inner.output(inner.relu(x), 'y');
    const graph = inner.build();
    // As a file has it that was written elsewhere: the node is not called as its output.
    const foreign = { ...graph, nodes: graph.nodes.map((node, i) => ({ ...node, name: `Relu_${i}` })) };
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', [2]);
    const copied = g.inline(foreign, new Map([['x', input]]));
    g.output(g.relu(copied.get('y')!));
    const names = g.build().nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('shares equal constants', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2]);
    g.output(g.add(g.mul(x, 2), 2), 'y');
    expect(g.build().initializers.size).toBe(1);
  });

  it('binds symbolic sizes and infers every shape anew', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 'sequence', 8]);
    g.output(g.reshape(g.transpose(x, [0, 2, 1]), [0, 2, 4, -1]), 'y');
    const bound = bindDims(g.build(), { batch: 3, sequence: 5 });
    expect(bound.outputs[0].shape).toEqual([3, 2, 4, 5]);
    expect(bound.outputs[0].name).toBe('y');
  });

  it('follows target shapes that exporters compute from other shapes', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 'sequence', 8]);
    const size = (axis: number) => g.unsqueeze(g.gather(g.shapeOf(x), g.scalar(axis, 'int64')), [0]);
    const target = g.concat([size(0), size(1), g.ints([2]), g.ints([4])], 0);
    g.output(g.op('Reshape', [x, target]), 'y');
    const symbolic = g.build();
    expect(symbolic.outputs[0].shape).toHaveLength(4);
    expect(bindDims(symbolic, { batch: 3, sequence: 5 }).outputs[0].shape).toEqual([3, 5, 2, 4]);
  });

  it('tells the content of initializers and of whole numbers that follow from what is known', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 8]);
    const size = (axis: number) => g.gather(g.shapeOf(x), g.scalar(axis, 'int64'));
    expect(g.constantOf(g.initializer('w', float32([1, 2])))?.data).toEqual(Float32Array.of(1, 2));
    expect(g.constantOf(g.op('Constant', [], { value_ints: [1, -1] }))?.data).toEqual(
      BigInt64Array.of(1n, -1n),
    );
    expect(g.constantOf(size(0))).toBeUndefined();
    const bound = new GraphBuilder();
    const values = bound.inline(g.build(), new Map([['x', bound.input('x', 'float32', [3, 8])]]));
    const gathered = g.nodes.find(({ opType }) => opType === 'Gather')?.outputs[0]?.name ?? '';
    const value = values.get(gathered);
    expect(value && bound.constantOf(value)?.data).toEqual(BigInt64Array.of(3n));
  });
});
