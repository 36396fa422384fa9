import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { checkGraph } from './passes/check-graph.ts';
import { readModel } from './read-model.ts';
import { type FunctionProtoSchema, ModelProtoSchema, type NodeProtoSchema } from './schema/onnx.gen.ts';
import { float32, toNumbers } from './tensor.ts';
import { runGraph } from './testing/run-graph.ts';

type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type FunctionInit = MessageInitShape<typeof FunctionProtoSchema>;

const node = (opType: string, input: string[], output: string[], more: NodeInit = {}): NodeInit => ({
  name: `${opType}:${output[0]}`,
  opType,
  input,
  output,
  ...more,
});
const call = (opType: string, input: string[], output: string[], more: NodeInit = {}): NodeInit =>
  node(opType, input, output, { domain: 'mine', ...more });
const fn = (name: string, input: string[], output: string[], body: NodeInit[], more: FunctionInit = {}) => ({
  name,
  domain: 'mine',
  input,
  output,
  node: body,
  opsetImport: [{ domain: '', version: 18n }],
  ...more,
});

function bytes(nodes: NodeInit[], functions: FunctionInit[], outputs = ['y']): Uint8Array {
  const vector = (name: string) => {
    const shape = { dim: [{ value: { case: 'dimValue' as const, value: 2n } }] };
    return { name, type: { value: { case: 'tensorType' as const, value: { elemType: 1, shape } } } };
  };
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        { domain: '', version: 18n },
        { domain: 'mine', version: 1n },
      ],
      functions,
      graph: { node: nodes, input: [vector('x')], output: outputs.map(vector) },
    }),
  );
}

function failure(nodes: NodeInit[], functions: FunctionInit[]): LimbeckError {
  try {
    readModel(bytes(nodes, functions));
  } catch (error) {
    if (error instanceof LimbeckError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** alpha x, alpha 2 when the call does not say it. */
const scaled = fn(
  'Scaled',
  ['a'],
  ['b'],
  [
    node('Constant', [], ['k'], { attribute: [{ name: 'value_float', type: 1, refAttrName: 'alpha' }] }),
    node('Mul', ['a', 'k'], ['b']),
  ],
  { attributeProto: [{ name: 'alpha', type: 1, f: 2 }] },
);

describe('inlineFunctions', () => {
  it('puts functions, also inside functions, in place of their calls, as ONNX Runtime does', async () => {
    const twice = fn(
      'Twice',
      ['a', 'unused'],
      ['b', 'same'],
      [
        call('Scaled', ['a'], ['k'], { attribute: [{ name: 'alpha', type: 1, f: 3 }] }),
        call('Scaled', ['k'], ['b']),
        node('Identity', ['a'], ['same']),
      ],
    );
    const nodes = [call('Twice', ['x'], ['t']), call('Twice', ['t'], ['y', 'k'])];
    const graph = readModel(bytes(nodes, [scaled, twice], ['y', 'k']));
    checkGraph(graph);
    expect(graph.nodes.every(({ domain }) => domain === '')).toBe(true);
    const result = await runGraph(graph, { x: float32([1, -1]) });
    expect(toNumbers(result.y!)).toEqual([36, -36]);
    expect(toNumbers(result.k!)).toEqual([6, -6]);
    expect(graph.nodes.map((n) => n.outputs[0]!.name)).toContain('Twice:t/k');
  });

  it('passes inputs on that are outputs, and leaves out attributes that the call does not have', async () => {
    const pass = fn('Pass', ['a'], ['a'], []);
    const soft = fn(
      'Soft',
      ['a'],
      ['b'],
      [node('Softmax', ['a'], ['b'], { attribute: [{ name: 'axis', type: 2, refAttrName: 'along' }] })],
      { attribute: ['along'] },
    );
    const graph = readModel(bytes([call('Pass', ['x'], ['p']), call('Soft', ['p'], ['y'])], [pass, soft]));
    expect(graph.nodes.map(({ opType, attributes }) => [opType, attributes.size])).toEqual([
      ['Identity', 0],
      ['Softmax', 0],
    ]);
    expect(toNumbers((await runGraph(graph, { x: float32([1, 1]) })).y!)).toEqual([0.5, 0.5]);
  });

  it('renames what branches inside a function read', async () => {
    const branch = (opType: string) => ({
      name: opType,
      node: [node(opType, ['a'], ['r'])],
      output: [{ name: 'r' }],
    });
    const choose = fn(
      'Choose',
      ['a'],
      ['b'],
      [
        node('ReduceSum', ['a'], ['s'], { attribute: [{ name: 'keepdims', type: 2, i: 0n }] }),
        node('Cast', ['s'], ['c'], { attribute: [{ name: 'to', type: 2, i: 9n }] }),
        node('If', ['c'], ['b'], {
          attribute: [
            { name: 'then_branch', type: 5, g: branch('Neg') },
            { name: 'else_branch', type: 5, g: branch('Abs') },
          ],
        }),
      ],
    );
    const graph = readModel(bytes([call('Choose', ['x'], ['t']), call('Choose', ['t'], ['y'])], [choose]));
    checkGraph(graph);
    expect(toNumbers((await runGraph(graph, { x: float32([1, 2]) })).y!)).toEqual([1, 2]);
  });

  it('refuses functions without an end, without a limit, of other versions, and calls that do not fit', () => {
    const loop = fn('Loop', ['a'], ['b'], [call('Loop', ['a'], ['b'])]);
    expect(failure([call('Loop', ['x'], ['y'])], [loop]).message).toContain('calls itself');
    const doubling = Array.from({ length: 30 }, (_, i) =>
      fn(`F${i}`, ['a'], ['b'], [call(`F${i + 1}`, ['a'], ['c']), call(`F${i + 1}`, ['c'], ['b'])]),
    );
    const last = fn('F30', ['a'], ['b'], [node('Neg', ['a'], ['b'])]);
    expect(failure([call('F0', ['x'], ['y'])], [...doubling, last]).message).toContain('100000 nodes');
    const older = fn('Old', ['a'], ['b'], [node('Softmax', ['a'], ['b'])], {
      opsetImport: [{ domain: '', version: 11n }],
    });
    expect(failure([call('Old', ['x'], ['y'])], [older]).message).toContain('Softmax of opset 11');
    expect(failure([call('Scaled', ['x', 'x'], ['y'])], [scaled]).code).toBe('model.functions');
    expect(failure([call('Scaled', ['x'], ['y'])], [scaled, scaled]).message).toContain('twice');
  });
});
