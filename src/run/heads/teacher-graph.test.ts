import { expect, it } from 'vitest';
import type { ColumnSpec } from '../../data/columns.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { atSizesOf } from './teacher-graph.ts';

const column = (name: string, shape: ColumnSpec['shape']): ColumnSpec => ({
  ...{ name, shape, type: 'float32', pad: 0, role: 'input' },
});

it('knows the sizes of what it is fed, and leaves the length of texts open', () => {
  const g = new GraphBuilder();
  const heard = g.relu(g.input('input_values', 'float32', ['batch', 'samples']));
  g.output(heard, 'heard');
  g.output(g.relu(g.input('input_ids', 'float32', ['batch', 'sequence'])), 'read');
  const graph = atSizesOf([column('input_values', [2048]), column('input_ids', ['sequence'])], g.build());
  expect(graph.outputs.map(({ shape }) => shape)).toEqual([
    ['batch', 2048],
    ['batch', 'sequence'],
  ]);
  expect(atSizesOf([column('input_ids', ['sequence'])], graph)).toBe(graph);
});
