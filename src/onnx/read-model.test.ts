import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { DATA_TYPE_CODES } from './data-type.ts';
import type { Graph } from './graph.ts';
import { checkGraph } from './passes/check-graph.ts';
import { readModel } from './read-model.ts';
import {
  type AttributeProtoSchema,
  type GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './schema/onnx.gen.ts';

type GraphInit = MessageInitShape<typeof GraphProtoSchema>;
type ModelInit = Exclude<MessageInitShape<typeof ModelProtoSchema>, ModelProto>;
type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

const GRAPH = 5;
const utf8 = new TextEncoder();

function modelBytes(graph: GraphInit, model: ModelInit = {}): Uint8Array {
  const opsetImport = [{ domain: '', version: 18n }];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph, ...model }),
  );
}

function info(
  name: string,
  dims: (number | string | undefined)[] = [2],
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims.map((size) => {
    if (size === undefined) return {};
    return typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } };
  });
  return { name, type: { value: { case: 'tensorType', value: { elemType: 1, shape: { dim } } } } };
}

const op = (opType: string, input: string[], output: string[], more: NodeInit = {}): NodeInit => ({
  name: `${opType}:${output[0]}`,
  opType,
  input,
  output,
  ...more,
});

const read = (graph: GraphInit): Graph => {
  const result = readModel(modelBytes(graph));
  checkGraph(result);
  return result;
};

function errorOf(bytes: Uint8Array): LimbeckError {
  try {
    readModel(bytes);
  } catch (error) {
    if (error instanceof LimbeckError) return error;
    throw error;
  }
  throw new Error('the model was read');
}

const errorIn = (graph: GraphInit) => errorOf(modelBytes(graph));

describe('readModel: graphs', () => {
  it('puts nodes in order and leaves those in order where they are', () => {
    const graph = read({
      input: [info('x')],
      node: [
        op('Exp', ['b'], ['c']),
        op('Abs', ['x'], ['a']),
        op('Neg', ['a'], ['b']),
        op('Log', ['x'], ['d']),
      ],
      output: [info('c'), info('d')],
    });
    expect(graph.nodes.map((node) => node.opType)).toEqual(['Abs', 'Neg', 'Exp', 'Log']);
  });

  it('orders thousands of nodes that come backwards', () => {
    const node = Array.from({ length: 2000 }, (_, i) => op('Neg', [`v${i}`], [`v${i + 1}`])).reverse();
    const graph = readModel(modelBytes({ input: [info('v0')], node, output: [info('v2000')] }));
    expect(graph.nodes[0]!.inputs[0]!.name).toBe('v0');
    expect(graph.nodes[1999]!.outputs[0]!.name).toBe('v2000');
  });

  it('names the nodes of a cycle', () => {
    const error = errorIn({
      input: [info('x')],
      node: [op('Add', ['x', 'c'], ['a']), op('Neg', ['a'], ['b']), op('Exp', ['b'], ['c'])],
      output: [info('c')],
    });
    expect(error.code).toBe('model.cyclic');
    expect(error.where).toBe("'Add:a' (Add) <- 'Exp:c' (Exp) <- 'Neg:b' (Neg)");
  });

  it('sees a cycle through a subgraph', () => {
    const body = { name: 'then', node: [op('Neg', ['y'], ['z'])], output: [info('z')] };
    const attribute = ['then_branch', 'else_branch'].map((name) => ({ name, type: GRAPH, g: body }));
    const error = errorIn({
      input: [info('x')],
      node: [op('If', ['x'], ['y'], { attribute })],
      output: [info('y')],
    });
    expect(error.code).toBe('model.cyclic');
  });

  it('drops initializers from the inputs, as files before IR version 4 list them', () => {
    const graph = read({
      input: [info('x'), info('w')],
      initializer: [{ name: 'w', dims: [2n], dataType: 1, floatData: [1, 2] }],
      node: [op('Add', ['x', 'w'], ['y'])],
      output: [info('y')],
    });
    expect(graph.inputs.map((value) => value.name)).toEqual(['x']);
    expect([...graph.initializers.keys()]).toEqual([graph.nodes[0]!.inputs[1]]);
  });

  it('knows missing inputs and outputs, and takes types from outputs and value_info', () => {
    const graph = read({
      input: [info('x', ['batch', 3, undefined, -1])],
      node: [op('Dropout', ['x', '', 'x'], ['y', '']), op('Neg', ['y'], ['z']), op('Neg', ['z'], ['u'])],
      valueInfo: [info('z', [4, undefined])],
      output: [info('y', ['batch', 3, 5, 6]), { name: 'u' }],
    });
    expect(graph.inputs[0]!.shape).toEqual(['batch', 3, 'x.2', 'x.3']);
    const [dropout, neg] = graph.nodes;
    expect(dropout!.inputs[1]).toBeNull();
    expect(dropout!.outputs[1]).toBeNull();
    expect(dropout!.outputs[0]!.shape).toEqual(['batch', 3, 5, 6]);
    expect(neg!.outputs[0]).toEqual({ name: 'z', type: 'float32', shape: [4, 'z.1'] });
    expect(graph.outputs[1]).toEqual({ name: 'u', type: undefined, shape: undefined });
  });

  it('renames values of a subgraph that hide values around it', () => {
    const body = {
      name: 'then',
      node: [op('Neg', ['x'], ['y']), op('Abs', ['y'], ['y_1'])],
      output: [info('y_1')],
    };
    const attribute = ['then_branch', 'else_branch'].map((name) => ({ name, type: GRAPH, g: body }));
    const graph = read({
      input: [info('x'), info('c')],
      node: [op('Exp', ['x'], ['y']), op('If', ['c'], ['out'], { attribute })],
      output: [info('out'), info('y')],
    });
    const branch = graph.nodes.find((node) => node.opType === 'If')!.attributes.get('then_branch');
    if (branch?.kind !== 'graph') throw new Error('no branch');
    const [neg, abs] = branch.value.nodes;
    expect(neg!.inputs[0]).toBe(graph.inputs[0]);
    expect(neg!.outputs[0]!.name).toBe('y_2');
    expect(abs!.inputs[0]).toBe(neg!.outputs[0]);
  });

  it('treats ai.onnx as the standard domain', () => {
    const graph = {
      input: [info('x')],
      node: [op('Neg', ['x'], ['y'], { domain: 'ai.onnx' })],
      output: [info('y')],
    };
    const model = readModel(modelBytes(graph, { opsetImport: [{ domain: 'ai.onnx', version: 13n }] }));
    expect(model.nodes[0]!.domain).toBe('');
    expect(model.opsets).toEqual(new Map([['', 13]]));
  });
});

describe('readModel: graphs that are wrong', () => {
  const neg = op('Neg', ['x'], ['y']);
  const fine: GraphInit = { input: [info('x')], node: [neg], output: [info('y')] };
  const cases: [string, GraphInit, string, string][] = [
    [
      'a value defined twice',
      { ...fine, node: [neg, op('Abs', ['x'], ['y'])] },
      'model.duplicate-name',
      "'y'",
    ],
    [
      'an input that a node defines',
      { ...fine, input: [info('x'), info('y')] },
      'model.duplicate-name',
      "'y'",
    ],
    ['an output twice', { ...fine, output: [info('y'), info('y')] }, 'model.duplicate-name', 'twice'],
    ['an undefined input', { ...fine, node: [op('Neg', ['q'], ['y'])] }, 'model.undefined-value', "'q'"],
    ['an undefined output', { ...fine, output: [info('q')] }, 'model.undefined-value', "'q'"],
    ['a node without operator', { ...fine, node: [op('', ['x'], ['y'])] }, 'model.malformed', 'no operator'],
    ['an unnamed input', { ...fine, input: [info('x'), info('')] }, 'model.malformed', 'no name'],
    ['a negative size', { ...fine, input: [info('x', [-2])] }, 'model.bad-shape', '-2'],
    [
      'a custom domain without opset',
      { ...fine, node: [op('Neg', ['x'], ['y'], { domain: 'mine' })] },
      'model.missing-opset',
      "'mine'",
    ],
    [
      'the same initializer twice',
      {
        ...fine,
        initializer: [
          { name: 'w', dims: [0n], dataType: 1 },
          { name: 'w', dims: [0n], dataType: 1 },
        ],
      },
      'model.duplicate-name',
      "'w'",
    ],
    ['sparse initializers', { ...fine, sparseInitializer: [{ dims: [3n] }] }, 'model.sparse', 'sparse'],
    [
      'a sequence input',
      { ...fine, input: [info('x'), { name: 's', type: { value: { case: 'sequenceType', value: {} } } }] },
      'model.not-a-tensor',
      'sequence',
    ],
    [
      'an input of a type that we do not hold',
      {
        ...fine,
        input: [info('x'), { name: 's', type: { value: { case: 'tensorType', value: { elemType: 17 } } } }],
      },
      'model.data-type',
      'float8e4m3fn',
    ],
  ];
  it.each(cases)('%s', (_title, graph, code, part) => {
    const error = errorIn(graph);
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.where).toBeTruthy();
  });

  it('a model without operator sets', () => {
    expect(errorOf(modelBytes(fine, { opsetImport: [] })).code).toBe('model.missing-opset');
  });

  it('two versions of one operator set', () => {
    const opsetImport = [
      { domain: '', version: 18n },
      { domain: 'ai.onnx', version: 13n },
    ];
    expect(errorOf(modelBytes(fine, { opsetImport })).code).toBe('model.malformed');
  });

  it('subgraphs nested without end', () => {
    let graph: GraphInit = { node: [op('Neg', ['x'], ['y'])], output: [info('y')] };
    for (let i = 0; i < 40; i++) {
      graph = { node: [op('Wrap', [], ['y'], { attribute: [{ name: 'body', type: GRAPH, g: graph }] })] };
    }
    const error = errorIn({ ...graph, input: [info('x')] });
    expect(error.code).toBe('model.malformed');
    expect(error.message).toContain('nested');
  });

  it('protobuf nested deeper than the stack', () => {
    // Field 6 (g) of field 5 (attribute) of field 1 (node), again and again, written from the inside out.
    const parts: number[][] = [];
    let length = 0;
    for (let i = 0; i < 4000; i++) {
      for (const tag of [0x32, 0x2a, 0x0a]) {
        const head = [tag];
        for (let rest = length; ; rest >>>= 7) {
          head.push(rest > 127 ? (rest & 127) | 128 : rest);
          if (rest <= 127) break;
        }
        parts.push(head);
        length += head.length;
      }
    }
    const graph = parts.reverse().flat();
    const head = [0x3a];
    for (let rest = graph.length; rest > 0; rest >>>= 7) head.push(rest > 127 ? (rest & 127) | 128 : rest);
    expect(errorOf(Uint8Array.from([...head, ...graph])).code).toBe('model.malformed');
  });

  it('a call of a function of the model', () => {
    const graph = { ...fine, node: [op('MyGelu', ['x'], ['y'], { domain: 'mine' })] };
    const opsetImport = [
      { domain: '', version: 18n },
      { domain: 'mine', version: 1n },
    ];
    const functions = [
      {
        name: 'MyGelu',
        domain: 'mine',
        input: ['a'],
        output: ['b'],
        node: [op('MyGelu', ['a'], ['b'], { domain: 'mine' })],
      },
    ];
    expect(errorOf(modelBytes(graph, { opsetImport, functions })).code).toBe('model.functions');
  });
});

describe('readModel: attributes', () => {
  const attributeOf = (attribute: MessageInitShape<typeof AttributeProtoSchema>) =>
    read({
      node: [op('Any', [], ['y'], { attribute: [attribute] })],
      output: [{ name: 'y' }],
    }).nodes[0]!.attributes.get('a');

  it('infers the kind when the file does not say it, as files before IR version 2', () => {
    expect(attributeOf({ name: 'a', i: 0n })).toEqual({ kind: 'int', value: 0 });
    expect(attributeOf({ name: 'a', f: 0 })).toEqual({ kind: 'float', value: 0 });
    expect(attributeOf({ name: 'a', s: utf8.encode('é') })).toEqual({ kind: 'string', value: 'é' });
    expect(attributeOf({ name: 'a', ints: [1n, -1n] })).toEqual({ kind: 'ints', value: [1, -1] });
    expect(attributeOf({ name: 'a', floats: [0.5] })).toEqual({ kind: 'floats', value: [0.5] });
    expect(attributeOf({ name: 'a', strings: [utf8.encode('x')] })).toEqual({
      kind: 'strings',
      value: ['x'],
    });
  });

  it('refuses kinds that we do not hold, bytes that are not text, and an attribute given twice', () => {
    const withAttributes = (...attribute: MessageInitShape<typeof AttributeProtoSchema>[]) =>
      errorIn({ node: [op('Any', [], ['y'], { attribute })] }).code;
    expect(withAttributes({ name: 'a', type: 13, tp: {} })).toBe('model.attribute');
    expect(withAttributes({ name: 'a', type: 3, s: Uint8Array.of(0xff) })).toBe('model.malformed');
    expect(withAttributes({ name: 'a', i: 1n }, { name: 'a', i: 1n })).toBe('model.malformed');
    expect(withAttributes({ name: 'a', type: 4 })).toBe('model.malformed');
  });
});

describe('readModel: tensors', () => {
  const tensorOf = (tensor: TensorInit) => {
    const graph = readModel(modelBytes({ initializer: [{ name: 'w', ...tensor }], output: [{ name: 'w' }] }));
    return graph.initializers.get(graph.outputs[0]!)!;
  };
  const errorWith = (tensor: TensorInit) => errorIn({ initializer: [{ name: 'w', ...tensor }] });
  const { float16, bfloat16, bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float64 } =
    DATA_TYPE_CODES;

  it.each<[string, TensorInit, ArrayLike<unknown>]>([
    ['float32', { dataType: 1, floatData: [0.5, -1] }, Float32Array.of(0.5, -1)],
    ['float64', { dataType: float64, doubleData: [0.1, -1] }, Float64Array.of(0.1, -1)],
    ['float16 words', { dataType: float16, int32Data: [0x3c00, 0xbc00] }, Uint16Array.of(0x3c00, 0xbc00)],
    ['bfloat16 words', { dataType: bfloat16, int32Data: [0x3f80, 0] }, Uint16Array.of(0x3f80, 0)],
    ['bool', { dataType: bool, int32Data: [1, 0] }, Uint8Array.of(1, 0)],
    ['int8', { dataType: int8, int32Data: [-128, 127] }, Int8Array.of(-128, 127)],
    ['uint8', { dataType: uint8, int32Data: [0, 255] }, Uint8Array.of(0, 255)],
    ['int16', { dataType: int16, int32Data: [-5, 5] }, Int16Array.of(-5, 5)],
    ['uint16', { dataType: uint16, int32Data: [0, 65535] }, Uint16Array.of(0, 65535)],
    ['int32', { dataType: int32, int32Data: [-(2 ** 31), 7] }, Int32Array.of(-(2 ** 31), 7)],
    ['uint32', { dataType: uint32, uint64Data: [0n, 4294967295n] }, Uint32Array.of(0, 4294967295)],
    ['int64', { dataType: int64, int64Data: [-1n, 2n ** 62n] }, BigInt64Array.of(-1n, 2n ** 62n)],
    ['uint64', { dataType: uint64, uint64Data: [0n, 2n ** 64n - 1n] }, BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['strings', { dataType: 8, stringData: [utf8.encode('a'), utf8.encode('日本')] }, ['a', '日本']],
    ['raw bytes', { dataType: int16, rawData: Uint8Array.of(1, 0, 255, 255) }, Int16Array.of(1, -1)],
  ])('typed fields: %s', (_title, init, data) => {
    expect(tensorOf({ dims: [2n], ...init }).data).toEqual(data);
  });

  it('reads scalars and empty tensors', () => {
    expect(tensorOf({ dims: [], dataType: 1, floatData: [3] })).toEqual({
      type: 'float32',
      dims: [],
      data: Float32Array.of(3),
    });
    expect(tensorOf({ dims: [3n, 0n], dataType: 1 }).data).toHaveLength(0);
    expect(tensorOf({ dims: [2n ** 50n, 0n], dataType: 1, rawData: new Uint8Array() }).data).toHaveLength(0);
  });

  it.each<[string, TensorInit, string]>([
    ['too few bytes', { dims: [3n], dataType: 1, rawData: new Uint8Array(8) }, '12 bytes, the file has 8'],
    ['too many bytes', { dims: [1n], dataType: 1, rawData: new Uint8Array(8) }, '4 bytes, the file has 8'],
    ['no data for an enormous shape', { dims: [2n ** 40n, 2n ** 10n], dataType: 1 }, 'the file has 0'],
    ['a shape beyond all numbers', { dims: [2n ** 40n, 2n ** 40n], dataType: 1 }, 'absurdly large'],
    ['a size beyond all numbers', { dims: [2n ** 60n], dataType: 1 }, 'out of range'],
    ['a negative size', { dims: [-1n], dataType: 1 }, 'out of range'],
    [
      'too few strings',
      { dims: [2n], dataType: 8, stringData: [utf8.encode('a')] },
      '2 strings, the file has 1',
    ],
    [
      'a number that the type does not hold',
      { dims: [1n], dataType: uint8, int32Data: [256] },
      '256 is not a uint8',
    ],
    ['segments', { dims: [1n], dataType: 1, segment: { begin: 0n } }, 'segments'],
  ])('refuses %s', (_title, init, part) => {
    const error = errorWith(init);
    expect(error.code).toBe('model.bad-tensor');
    expect(error.message).toContain(part);
    expect(error.where).toBe("initializer 'w'");
  });

  it('names data types that we do not hold', () => {
    expect(errorWith({ dims: [1n], dataType: 22 }).message).toContain('int4');
    expect(errorWith({ dims: [1n], dataType: 0 }).message).toContain('undefined');
    expect(errorWith({ dims: [1n], dataType: 999 }).code).toBe('model.data-type');
  });

  it('owns its memory', () => {
    const bytes = modelBytes({
      initializer: [{ name: 'w', dims: [1n], dataType: 1, rawData: Uint8Array.of(0, 0, 128, 63) }],
      output: [{ name: 'w' }],
    });
    const graph = readModel(bytes);
    bytes.fill(0);
    expect(graph.initializers.get(graph.outputs[0]!)!.data).toEqual(Float32Array.of(1));
  });
});

describe('readModel: files that are not models', () => {
  const whole = modelBytes({ input: [info('x')], node: [op('Neg', ['x'], ['y'])], output: [info('y')] });

  it('says where a file was cut short', () => {
    const error = errorOf(whole.subarray(0, 30));
    expect(error.code).toBe('model.malformed');
    expect(error.message).toMatch(/'graph', at byte 2, is \d+ bytes long, but only 26 are left/);
  });

  it.each([
    ['', 'empty'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', 'git-lfs'],
    ['<!DOCTYPE html><title>404</title>', 'web page'],
    ['{"error":"not found"}', 'JSON'],
  ])('knows what %j is', (text, part) => {
    const error = errorOf(utf8.encode(text));
    expect(error.code).toBe('model.malformed');
    expect(error.message).toContain(part);
  });

  it('wants a graph', () => {
    expect(
      errorOf(toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n }))).message,
    ).toContain('no graph');
  });

  it('puts the title into every error', () => {
    const bad = modelBytes({ node: [op('Neg', ['q'], ['y'])] });
    expect(() => readModel(bad, { title: 'a.onnx' })).toThrow(
      expect.objectContaining({ where: "a.onnx: node 'Neg:y' (Neg)", code: 'model.undefined-value' }),
    );
  });
});
