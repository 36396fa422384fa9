import { expect, test } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import type { Attribute, Graph, Node, Value } from '../graph.ts';
import { readModel } from '../read-model.ts';
import { float32, tensor } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { takeBranch } from './take-branch.ts';

const around: Omit<Graph, 'name' | 'nodes' | 'outputs'> = {
  inputs: [],
  initializers: new Map(),
  opsets: new Map([['', 17]]),
  metadata: new Map(),
};
const pair = (name: string): Value => ({ name, type: 'float32', shape: [2] });

/** `OPERATOR(x, number)`, by inner values that are called the same in all branches. */
function branch(x: Value, opType: string, number: number): Attribute {
  const constant: Value = { name: 'number', type: 'float32', shape: [] };
  const inner = pair('inner');
  const node: Node = {
    name: 'node',
    opType,
    domain: '',
    inputs: [x, constant],
    outputs: [inner],
    attributes: new Map(),
  };
  const initializers = new Map([[constant, float32([number], [])]]);
  return { kind: 'graph', value: { ...around, name: opType, nodes: [node], initializers, outputs: [inner] } };
}

/** `y = c ? x + 1 : x * 3`, and `z` of `y` in the same way. */
function conditional(): Graph {
  const [x, y, z] = [pair('x'), pair('y'), pair('z')];
  const condition: Value = { name: 'c', type: 'bool', shape: [] };
  const either = (from: Value, to: Value): Node => ({
    name: `if/${to.name}`,
    opType: 'If',
    domain: '',
    inputs: [condition],
    outputs: [to],
    attributes: new Map([
      ['then_branch', branch(from, 'Add', 1)],
      ['else_branch', branch(from, 'Mul', 3)],
    ]),
  });
  return {
    ...around,
    name: 'conditional',
    inputs: [x, condition],
    nodes: [either(x, y), either(y, z)],
    outputs: [y, z],
  };
}

test.each([true, false])(
  'a graph with the branches that are taken answers as with the Ifs (%s)',
  async (taken) => {
    // As from a file: what a branch reads from around it is found again by its name.
    const graph = readModel(writeModel(conditional()), { title: 'test' });
    let flat = graph;
    for (const node of graph.nodes) flat = takeBranch(flat, node, taken);
    const operator = taken ? 'Add' : 'Mul';
    expect(flat.nodes.map(({ opType }) => opType)).toEqual([operator, 'Identity', operator, 'Identity']);
    const engine = createNodeEngine({ threads: 1 });
    const feeds = { x: float32([1, 2]), c: tensor('bool', [], Uint8Array.of(taken ? 1 : 0)) };
    const answers = await Promise.all(
      [graph, flat].map(async (one) => {
        const session = await engine.load(writeModel(one));
        const { y, z } = await session.run(feeds);
        await session.release();
        return [y, z].map((value) => Array.from(value?.data as Float32Array));
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toEqual(
      taken
        ? [
            [2, 3],
            [3, 4],
          ]
        : [
            [3, 6],
            [9, 18],
          ],
    );
  },
);
