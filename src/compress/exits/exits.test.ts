import { describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { LimbeckError } from '../../errors.ts';
import { EarlyExits } from '../../export/early-exits.ts';
import type { Graph } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { readModel } from '../../onnx/read-model.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { randomStream } from '../../random.ts';
import { bert } from '../../students/bert.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { mobilenetV3 } from '../../students/mobilenet-v3.ts';
import { resnet } from '../../students/resnet.ts';
import type { Student } from '../../students/student.ts';
import { textAttention } from '../../students/text-attention.ts';
import { textConv } from '../../students/text-conv.ts';
import { collectRanges } from '../calibrate.ts';
import { foldedGraph } from '../folded-student.ts';
import { quantizeStatic, valuesToCalibrate } from '../quantize-static.ts';
import { exits } from '../transforms/exits.ts';
import { answeredExits } from './answered-exits.ts';
import { attachExits } from './attach-exits.ts';
import { exitParts } from './exit-parts.ts';
import { type Thresholds, withConditions } from './with-conditions.ts';

const engine = createNodeEngine({ threads: 1 });
const CLASSES = 5;
const context = {
  where: 'compress[0]',
  outputs: ['logits'],
  random: (...labels: (string | number)[]) => randomStream(1, ...labels),
};
const optionsOf = (given: object) => exits.options.parse(given);
const attached = (student: Student, given: object) => attachExits(student, optionsOf(given), context);

const text = { vocabularySize: 30, maxLength: 9, classes: CLASSES, random: randomStream(1, 'student') };
const attention = (layers: number) =>
  buildClassifier(
    textAttention,
    textAttention.options.parse({ width: 8, heads: 2, layers, feedForward: 16 }),
    text,
  );
const image = { channels: 1, height: 12, width: 12, classes: CLASSES, random: randomStream(2, 'student') };
const residual = () =>
  buildClassifier(resnet, resnet.options.parse({ width: 4, stages: 2, blocks: 2 }), image);

const stream = randomStream(3, 'samples');
function texts(rows: number, sequence = 9): Record<string, Tensor> {
  const lengths = Array.from({ length: rows }, () => 2 + stream.integer(sequence - 1));
  const dims = [rows, sequence];
  const at = (value: (row: number, i: number) => number) =>
    int64(
      Array.from({ length: rows * sequence }, (_, i) => value(Math.floor(i / sequence), i % sequence)),
      dims,
    );
  return {
    input_ids: at(() => stream.integer(30)),
    attention_mask: at((row, i) => (i < (lengths[row] as number) ? 1 : 0)),
  };
}
function images(rows: number): Record<string, Tensor> {
  const data = Float32Array.from({ length: rows * 144 }, () => stream.normal());
  return { pixel_values: { type: 'float32', dims: [rows, 1, 12, 12], data } };
}

async function answer(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await engine.load(writeModel(graph));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** The rows of a batch, each for itself. */
function single(feeds: Readonly<Record<string, Tensor>>, row: number): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => {
      const length = data.length / (dims[0] as number);
      const own = (data as Float32Array).slice(row * length, (row + 1) * length);
      return [name, { type, dims: [1, ...dims.slice(1)], data: own }];
    }),
  );
}

/** What each sample is to be answered, by what all exits say of it. */
async function expected(graph: Graph, feeds: Readonly<Record<string, Tensor>>, thresholds: Thresholds) {
  const { graph: whole, answers } = answeredExits(graph);
  const said = await answer(whole, feeds);
  const rows = said.logits?.dims[0] as number;
  return Array.from({ length: rows }, (_, row) => {
    const exit = answers.findIndex(({ confidence }, i) => {
      const least = i === answers.length - 1 ? 0 : thresholds[i];
      return typeof least === 'number' && (said[confidence.name]?.data[row] as number) >= least;
    });
    const logits = said[answers[exit]!.logits.name]!.data as Float32Array;
    return { exit: exit + 1, logits: [...logits.subarray(row * CLASSES, (row + 1) * CLASSES)] };
  });
}

/** Thresholds by which about a third leaves at each of two exits. */
async function thirds(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Thresholds> {
  const { graph: whole, answers } = answeredExits(graph);
  const said = await answer(whole, feeds);
  return answers.slice(0, -1).map(({ confidence }) => {
    const sorted = (said[confidence.name]!.data as Float32Array).slice().sort();
    const place = Math.floor((2 * sorted.length) / 3);
    return ((sorted[place - 1] as number) + (sorted[place] as number)) / 2;
  });
}

async function int8(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Graph> {
  const ranges = await collectRanges(graph, valuesToCalibrate(graph), engine, [feeds]);
  return quantizeStatic(graph, ranges);
}

const ROWS = 24;
const CASES = [
  ['tokens', () => attached(attention(3), { after: [1, 2] }), texts(ROWS)],
  [
    'tokens, with a hidden layer, by margin',
    () => attached(attention(3), { after: 2, hidden: 6, confidence: 'margin' }),
    texts(ROWS),
  ],
  [
    'images, by entropy',
    () =>
      attached(residual(), {
        after: ['stage_1/block_1', 'stage_2/block_1'],
        places: 2,
        confidence: 'entropy',
      }),
    images(ROWS),
  ],
  [
    'images, first at a quarter of the pixels',
    () => attached(residual(), { after: ['stage_1/block_2'], resolution: 2 }),
    images(ROWS),
  ],
] as const;

describe.each(CASES)('a student over %s', (_name, make, feeds) => {
  const flat = foldedGraph(make());

  test.each(['float32', 'int8'])(
    'in %s answers each sample by the first exit that is sure enough',
    async (form) => {
      const graph = form === 'int8' ? await int8(flat, feeds) : flat;
      const thresholds = await thirds(graph, feeds);
      const wanted = await expected(graph, feeds, thresholds);
      expect(new Set(wanted.map(({ exit }) => exit)).size).toBe(3);
      const shipped = readModel(writeModel(withConditions(graph, thresholds)));
      expect(shipped.outputs.map(({ name }) => name)).toEqual(['logits', 'exit']);
      const together = await answer(shipped, feeds);
      expect([...(together.exit!.data as BigInt64Array)].map(Number)).toEqual(wanted.map(({ exit }) => exit));
      const near = form === 'int8' ? 6 : 5;
      wanted.forEach(({ logits }, row) => {
        const own = (together.logits!.data as Float32Array).subarray(row * CLASSES, (row + 1) * CLASSES);
        logits.forEach((value, c) => {
          expect(own[c]).toBeCloseTo(value, near);
        });
      });
      for (let row = 0; row < 4; row++) {
        const alone = await answer(shipped, single(feeds, row));
        expect(Number(alone.exit?.data[0])).toBe(wanted[row]?.exit);
      }
    },
  );

  test('in parts answers a batch as the whole does', async () => {
    const thresholds = await thirds(flat, feeds);
    const parts = exitParts(flat);
    const student = await opened(parts, thresholds);
    try {
      const { logits, exit } = await student.run(feeds);
      const wanted = await expected(flat, feeds, thresholds);
      expect([...exit]).toEqual(wanted.map((one) => one.exit));
      wanted
        .flatMap((one) => one.logits)
        .forEach((value, i) => {
          expect(logits.data[i]).toBeCloseTo(value, 5);
        });
      // With other thresholds nobody leaves, or all do at once.
      expect(new Set((await student.run(feeds, [null, null])).exit)).toEqual(new Set([3]));
      expect(new Set((await student.run(feeds, [0, null])).exit)).toEqual(new Set([1]));
    } finally {
      await student.release();
    }
  });
});

function opened(parts: ReturnType<typeof exitParts>, thresholds: Thresholds): Promise<EarlyExits> {
  const files = new Map<string, Uint8Array>();
  const told = parts.map(({ graph, takes, gives, layer }, i) => {
    files.set(`part_${i}.onnx`, writeModel(graph));
    return {
      file: `part_${i}.onnx`,
      ...(layer && { layer }),
      threshold: thresholds[i] ?? null,
      takes,
      gives,
    };
  });
  const manifest = {
    version: 1,
    confidence: 'probability',
    output: 'logits',
    forms: { 'onnx/model.onnx': told },
  };
  files.set('exits.json', new TextEncoder().encode(JSON.stringify(manifest)));
  return EarlyExits.open({ engine, read: async (name) => files.get(name) as Uint8Array });
}

test('what lies behind an exit is not computed for a sample that leaves', async () => {
  const student = attached(attention(2), { after: [1] });
  // A layer that fails when it runs: it looks up a row that there is not.
  const g = new GraphBuilder();
  const inputs = new Map(
    student.graph.inputs.map(({ name, type, shape }) => [name, g.input(name, type!, shape!)]),
  );
  const values = g.inline(student.graph, inputs);
  const ids = inputs.get('input_ids')!;
  const missing = g.add(g.reduceMax(ids, { axes: [1], keepDims: false }), 1000);
  const table = g.initializer('short', float32([0, 0], [2, 1]));
  const failing = g.op('Add', [values.get('logits')!, g.gather(table, missing)], {}, { name: 'failing' });
  for (const [key, line] of student.graph.metadata)
    g.setMetadata(key, line.replaceAll('"logits"', '"failing"'));
  g.output(failing);
  g.output(values.get('exit_1/logits')!);
  const graph = g.build();
  const feeds = texts(1);
  expect(Number((await answer(withConditions(graph, [0]), feeds)).exit?.data[0])).toBe(1);
  await expect(answer(withConditions(graph, [2]), feeds)).rejects.toThrow(/out of/);
});

test('an exit by which none leaves is not in the graph', () => {
  const flat = attached(attention(3), { after: [1, 2] }).graph;
  const ifs = (thresholds: Thresholds) =>
    withConditions(flat, thresholds).nodes.filter(({ opType }) => opType === 'If').length;
  expect([ifs([null, null]), ifs([null, 0.5]), ifs([0.5, 0.5])]).toEqual([0, 1, 1]);
  const names = [...withConditions(flat, [null, 0.5]).initializers.keys()].map(({ name }) => name);
  expect(names.some((name) => name === 'exit_1/head/weight')).toBe(false);
  expect(names.some((name) => name === 'exit_2/head/weight')).toBe(true);
});

describe('where exits are', () => {
  const layersOf = (student: Student, after: unknown) =>
    JSON.parse(attached(student, { after }).graph.metadata.get('limbeck.exits') as string).exits.map(
      ({ layer }: { layer: string }) => layer,
    );

  test('is said by number, by name, or by how many', () => {
    expect(layersOf(attention(6), [1, 'layer_3'])).toEqual(['layer_0', 'layer_3']);
    expect(layersOf(attention(6), 2)).toEqual(['layer_1', 'layer_3']);
    expect(layersOf(attention(4), 3)).toEqual(['layer_0', 'layer_1', 'layer_2']);
  });

  test('is found in every student with layers', () => {
    const encoder = buildClassifier(
      bert,
      bert.options.parse({ width: 8, heads: 2, layers: 3, feedForward: 8 }),
      text,
    );
    expect(layersOf(encoder, 2)).toEqual(['layer_0', 'layer_1']);
    const mobile = buildClassifier(
      mobilenetV3,
      mobilenetV3.options.parse({ size: 'tiny', width: 0.25 }),
      image,
    );
    expect(layersOf(mobile, [2])).toHaveLength(1);
  });

  test.each([
    [
      () => buildClassifier(textConv, textConv.options.parse({}), text),
      { after: 1 },
      /text-conv has no chain of layers/,
    ],
    [
      () => attention(1),
      { after: 1 },
      /text-attention has no chain .* only one layer was found in it, layer_0/,
    ],
    [
      () => attention(3),
      { after: 3 },
      /3 exits are more than the student has layers for: 2 layers before its last/,
    ],
    [() => attention(3), { after: [3] }, /after the last layer, layer_2, would be the student's own end/],
    [() => attention(3), { after: ['layer_7'] }, /no layer layer_7/],
    [() => attention(3), { after: [1, 1] }, /named twice/],
  ])('or refused with the layers that there are', (make, given, message) => {
    const error = errorOf(() => attached(make(), given));
    expect(error.code).toBe('compress.invalid');
    expect(error.message).toMatch(message);
  });

  test('is on a smaller image, with the same weights and normalisations of its own', () => {
    const plain = residual();
    const { graph, parameters } = attached(plain, { after: [], resolution: 2 });
    const added = parameters.filter((name) => !plain.parameters.includes(name));
    expect(added.length).toBeGreaterThan(0);
    expect(added.every((name) => /^exit_1\/.*\/(scale|bias)$/.test(name))).toBe(true);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['logits', 'exit_1/logits']);
    const folded = foldedGraph({ graph });
    expect(folded.nodes.some(({ opType }) => opType === 'BatchNormalization')).toBe(false);
  });

  test.each([
    [attention(2), { resolution: 2 }, /reads no images/],
    [residual(), { resolution: 8 }, /of 12x12 pixels 1x1 would be left/],
    [residual(), { resolution: 2, train: 'heads' }, /normalisations of its own/],
    [residual(), { after: [] }, /no exit is named/],
  ])('or refused where a smaller image has no meaning', (student, given, message) => {
    expect(errorOf(() => attached(student, given)).message).toMatch(message);
  });

  test('or refused for other answers than one class', () => {
    const several = { ...context, outputs: ['logits', 'tags'] };
    const error = errorOf(() => attachExits(attention(3), optionsOf({}), several));
    expect(error.message).toMatch(/one output that answers with a class/);
  });
});

function errorOf(body: () => unknown): LimbeckError {
  try {
    body();
  } catch (error) {
    if (error instanceof LimbeckError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
