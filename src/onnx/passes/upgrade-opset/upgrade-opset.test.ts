import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { LimbeckError } from '../../../errors.ts';
import { float } from '../../attributes.ts';
import { decodeTensor } from '../../decode-tensor.ts';
import type { Attribute, Graph, Node, Value } from '../../graph.ts';
import { readModel } from '../../read-model.ts';
import { TensorProtoSchema } from '../../schema/onnx.gen.ts';
import { float32, int64, type Tensor, toNumbers } from '../../tensor.ts';
import { runGraph } from '../../testing/run-graph.ts';
import { graphOf, nodeOf, operatorsOf, valueNamed } from '../../testing/small-graph.ts';
import { checkGraph } from '../check-graph.ts';
import { CHANGES } from './changes.ts';
import { OPSET_RANGE, upgradeOpset } from './upgrade-opset.ts';

const atOpset = (graph: Graph, version: number): Graph => ({ ...graph, opsets: new Map([['', version]]) });

const untyped = (name: string): Value => ({ name, type: undefined, shape: undefined });

/** A model of one node of x [2, 3, 4] (and other inputs), whose outputs have no declared type. */
function model(
  opType: string,
  attributes: Parameters<typeof nodeOf>[3] = {},
  more: readonly (readonly [Value, Tensor])[] = [],
  outputs = 1,
): Graph {
  const x = valueNamed('x', 'float32', [2, 3, 4]);
  const ys = Array.from({ length: outputs }, (_, i) => untyped(`y${i}`));
  const node = nodeOf(opType, [x, ...more.map(([value]) => value)], ys, attributes);
  return graphOf([x], [node], ys, more);
}
const floats = (...value: number[]): Attribute => ({ kind: 'floats', value });
const scales = [valueNamed('s', 'float32', [3]), float32([1, 2, 3])] as const;
const row = [valueNamed('c', 'float32', [3]), float32([0.5, 1, 2])] as const;
const ids = [
  valueNamed('i', 'int64', [1, 3, 4]),
  int64([1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1], [1, 3, 4]),
] as const;
const updates = [valueNamed('u', 'float32', [1, 3, 4]), float32(Array(12).fill(7), [1, 3, 4])] as const;

const models: [string, number, Graph][] = [
  ['Softmax', 9, model('Softmax')],
  ['Softmax at the end', 11, model('Softmax', { axis: 2 })],
  ['LogSoftmax at -2', 11, model('LogSoftmax', { axis: -2 })],
  ['Hardmax over all', 11, model('Hardmax', { axis: 0 })],
  ['Clip', 7, model('Clip', { min: float(-0.5), max: float(0.25) })],
  ['Clip above', 9, model('Clip', { max: float(0.25) })],
  ['Pad', 9, model('Pad', { pads: [0, 1, 0, 1, 0, 2], value: float(3) })],
  ['Slice', 9, model('Slice', { starts: [1, 0], ends: [4, -1], axes: [2, 1] })],
  ['TopK', 9, model('TopK', { k: 2, axis: 1 }, [], 2)],
  ['Split', 11, model('Split', { axis: 2, split: [1, 3] }, [], 2)],
  ['Split evenly', 12, model('Split', { axis: 2 }, [], 2)],
  ['Split by an input', 13, model('Split', { axis: 1 }, [[valueNamed('p', 'int64', [2]), int64([2, 1])]], 2)],
  ['Unsqueeze', 11, model('Unsqueeze', { axes: [0, 4] })],
  ['ReduceSum', 11, model('ReduceSum', { axes: [-1], keepdims: 0 })],
  ['ReduceMean over all', 13, model('ReduceMean')],
  ['Upsample', 7, model('Upsample', { scales: floats(1, 2, 3) })],
  ['Upsample of 9', 9, model('Upsample', {}, [scales])],
  ['Resize of 10', 10, model('Resize', {}, [scales])],
  ['Dropout', 7, model('Dropout', { ratio: float(0.3) })],
  ['Scatter', 9, model('Scatter', { axis: 0 }, [ids, updates])],
  [
    'BatchNormalization',
    7,
    model(
      'BatchNormalization',
      {},
      ['c', 'd', 'e', 'f'].map((name) => [valueNamed(name, 'float32', [3]), row[1]] as const),
    ),
  ],
];

describe('upgradeOpset', () => {
  it.each(models)('%s of opset %i computes the same', async (_title, version, graph) => {
    const old = atOpset(graph, version);
    const upgraded = upgradeOpset(old, 20);
    checkGraph(upgraded);
    expect(upgraded.opsets.get('')).toBe(20);
    const x = float32(
      Array.from({ length: 24 }, (_, i) => Math.sin(i * i)),
      [2, 3, 4],
    );
    const [before, after] = [await runGraph(old, { x }), await runGraph(upgraded, { x })];
    expect(Object.keys(after)).toEqual(graph.outputs.map((value) => value.name));
    for (const [name, { dims, data }] of Object.entries(before)) {
      expect(after[name]!.dims, name).toEqual(dims);
      expect(Array.from(after[name]!.data as Float32Array, Number), name).toEqual(
        Array.from(data as Float32Array, Number),
      );
    }
  });

  it('writes the mask of an old Dropout as numbers', () => {
    const upgraded = upgradeOpset(atOpset(model('Dropout', {}, [], 2), 7), 20);
    expect(operatorsOf(upgraded)).toEqual(['Dropout', 'CastLike']);
  });

  it('says that a BatchNormalization trains, and drops what was saved for a backward pass', () => {
    const more = ['c', 'd', 'e', 'f'].map((name) => [valueNamed(name, 'float32', [3]), row[1]] as const);
    const old = model('BatchNormalization', {}, more, 5);
    const [node] = upgradeOpset(atOpset({ ...old, outputs: old.outputs.slice(0, 3) }, 11), 20).nodes as [
      Node,
    ];
    expect(node.outputs.map((value) => value?.name)).toEqual(['y0', 'y1', 'y2']);
    expect(node.attributes.get('training_mode')).toEqual({ kind: 'int', value: 1 });
  });

  it('gives GroupNormalization a scale for each channel', async () => {
    const half = valueNamed('h', 'float32', [2]);
    const x = valueNamed('x', 'float32', [2, 4]);
    const y = untyped('y');
    const node = nodeOf('GroupNormalization', [x, half, half], [y], { num_groups: 2 });
    const upgraded = upgradeOpset(atOpset(graphOf([x], [node], [y], [[half, float32([1, 2])]]), 18), 21);
    const group = upgraded.nodes.at(-1)!;
    const scale = { ...upgraded, nodes: upgraded.nodes.slice(0, -1), outputs: [group.inputs[1]!] };
    const result = await runGraph(scale, { x: float32(Array(8).fill(1), [2, 4]) });
    expect(Object.values(result).map(toNumbers)).toEqual([[1, 1, 2, 2]]);
  });

  it('renames the modes of GridSample, and keeps where RoiAlign looks', () => {
    const grid = [valueNamed('g'), float32(Array(6).fill(0), [2, 3])] as const;
    const [sample] = upgradeOpset(atOpset(model('GridSample', { mode: 'bilinear' }, [grid]), 16), 20).nodes;
    expect(sample?.attributes.get('mode')).toEqual({ kind: 'string', value: 'linear' });
    const [align] = upgradeOpset(atOpset(model('RoiAlign', {}, [grid]), 11), 20).nodes;
    expect(align?.attributes.get('coordinate_transformation_mode')).toMatchObject({
      value: 'output_half_pixel',
    });
  });

  it.each([1, 6, 25, 1000])('refuses opset %i, and says which it takes', (version) => {
    let error: unknown;
    try {
      upgradeOpset(atOpset(model('Relu'), version), 24);
    } catch (caught) {
      error = caught;
    }
    const { code, message, remedy } = error as LimbeckError;
    expect([code, message]).toEqual(['model.opset', expect.stringContaining(`opset ${version},`)]);
    expect(remedy).toContain(`from ${OPSET_RANGE.oldest} to ${OPSET_RANGE.newest}`);
  });

  it('leaves a model that is as new as it is', () => {
    const graph = atOpset(model('Relu'), 21);
    expect(upgradeOpset(graph, 20)).toBe(graph);
  });
});

/** ONNX's own test models, of Debian's package libonnx-testdata: those that an upgrade changes. */
const FOLDER = '/usr/share/libonnx-testdata/data';
const folders = ['node', 'simple', 'pytorch-converted', 'pytorch-operator'].flatMap((set) =>
  existsSync(`${FOLDER}/${set}`)
    ? readdirSync(`${FOLDER}/${set}`).map((name) => `${FOLDER}/${set}/${name}`)
    : [],
);

describe.skipIf(folders.length === 0)('ONNX conformance models (apt-get install libonnx-testdata)', () => {
  it('compute the same when they are upgraded', async () => {
    const compared = new Set<string>();
    for (const folder of folders) {
      const graph = changed(folder);
      if (!graph) continue;
      const feeds = feedsOf(graph, `${folder}/test_data_set_0`);
      const before = feeds && (await runGraph(graph, feeds).catch(() => undefined));
      if (!before) continue;
      const after = await runGraph(upgradeOpset(graph, 20), feeds);
      for (const [name, { dims, data }] of Object.entries(before)) {
        expect([...after[name]!.dims], folder).toEqual([...dims]);
        for (let i = 0; i < data.length; i++) {
          const [a, b] = [Number(data[i]), Number(after[name]!.data[i])];
          if (!(Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a))) && !Object.is(a, b))
            expect(b, folder).toBe(a);
        }
      }
      for (const node of graph.nodes) compared.add(`${node.opType}-${graph.opsets.get('')}`);
    }
    expect(compared.size).toBeGreaterThan(30);
  }, 60_000);
});

function changed(folder: string): Graph | undefined {
  let graph: Graph;
  try {
    graph = readModel(readFileSync(`${folder}/model.onnx`));
  } catch {
    return undefined;
  }
  const own = graph.opsets.get('') ?? 0;
  const noLonger = graph.nodes.some((node) =>
    [...node.attributes.values()].some((a) => a.value === 'tf_half_pixel_for_nn'),
  );
  if (own < OPSET_RANGE.oldest || noLonger) return undefined;
  const operators = new Set(
    [...CHANGES].flatMap(([version, changes]) =>
      version > own && version <= 20 ? Object.keys(changes) : [],
    ),
  );
  return graph.nodes.some(({ opType }) => operators.has(opType)) ? graph : undefined;
}

function feedsOf(graph: Graph, folder: string): Record<string, Tensor> | undefined {
  try {
    return Object.fromEntries(
      graph.inputs.map(({ name }, i) => {
        const path = `${folder}/input_${i}.pb`;
        return [name, decodeTensor(fromBinary(TensorProtoSchema, readFileSync(path)), path)];
      }),
    );
  } catch {
    return undefined;
  }
}
