import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { Attribute, Graph, Node, Value } from './graph.ts';
import { misfit } from './operator-forms.ts';
import { writeModel } from './write-model.ts';

const x: Value = { name: 'x', type: 'float32', shape: ['n', 4] };
const axes: Value = { name: 'axes', type: 'int64', shape: [1] };
const y: Value = { name: 'y', type: undefined, shape: undefined };
const one: Attribute = { kind: 'ints', value: [1] };

function model(opset: number, opType: string, inputs: Value[], attributes: Record<string, Attribute>): Graph {
  const node: Node = {
    name: 'odd',
    domain: '',
    opType,
    inputs,
    outputs: [y],
    attributes: new Map(Object.entries(attributes)),
  };
  const rest = { name: 'g', metadata: new Map(), initializers: new Map() };
  return { ...rest, inputs, outputs: [y], nodes: [node], opsets: new Map([['', opset]]) };
}

it.each([
  ['Gelu', 17, [x], {}, 'Gelu came with opset 20', 'opset 20 or later'],
  ['ReduceMean', 13, [x, axes], {}, 'takes 1 inputs there, and has 2', 'opset 18 or later'],
  ['Squeeze', 11, [x, axes], {}, 'takes 1 inputs there, and has 2', 'opset 13 or later'],
  ['ReduceMean', 18, [x], { axes: one }, 'has no attribute axes there', 'Export the model anew'],
  ['AveragePool', 9, [x], { ceil_mode: one }, 'has no attribute ceil_mode', 'opset 10 or later'],
  ['Upsample', 11, [x], {}, 'was taken out with opset 10', 'Export the model anew'],
  ['Frobnicate', 17, [x], {}, 'there is no operator Frobnicate', 'Export the model anew'],
] as const)(
  'ONNX Runtime and we refuse %s in opset %i',
  async (opType, opset, inputs, attributes, problem, remedy) => {
    const graph = model(opset, opType, [...inputs], attributes);
    expect(misfit(graph.nodes[0] as Node, opset)).toEqual({
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    });
    await expect(createNodeEngine().load(writeModel(graph))).rejects.toMatchObject({ code: 'engine.load' });
  },
);

it.each([
  ['Gelu', 20, [x], {}],
  ['ReduceMean', 17, [x], { axes: one }],
  ['ReduceMean', 18, [x, axes], {}],
  // ONNX Runtime has it among the standard operators, as its optimised models do.
  ['SimplifiedLayerNormalization', 14, [x, x], {}],
] as const)('ONNX Runtime and we take %s in opset %i', async (opType, opset, inputs, attributes) => {
  const graph = model(opset, opType, [...inputs], attributes);
  expect(misfit(graph.nodes[0] as Node, opset)).toBeUndefined();
  if (opType === 'SimplifiedLayerNormalization') return;
  await (await createNodeEngine().load(writeModel(graph))).release();
});
