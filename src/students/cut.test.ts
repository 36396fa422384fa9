import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import type { Graph } from '../onnx/graph.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { int64, zeros } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from './backbone.ts';
import { bert } from './bert.ts';
import { buildClassifier } from './build-student.ts';
import { cut, keptBlocks, keptLayers } from './cut.ts';
import { onnxFile } from './onnx-file.ts';
import { resnet } from './resnet.ts';

const SIZES = { vocabularySize: 30, maxLength: 8, classes: 3 };

/** A BERT of four layers, as a teacher comes. */
function teacher(): Graph {
  const options = bert.options.parse({ width: 8, heads: 2, layers: 4, feedForward: 16 });
  return buildClassifier(bert, options, { ...SIZES, random: randomStream(3, 'teacher') }).graph;
}

function build(backbone: { readonly kind: string }, options: object, given: Graph) {
  const own = backbone as unknown as Backbone;
  return buildClassifier(own, own.options.parse(options), {
    ...SIZES,
    random: randomStream(1, 'student'),
    given: { graph: given },
  } as never);
}

const contents = ({ initializers }: Graph) =>
  new Map([...initializers].map(([{ name }, { data }]) => [name, [...(data as Float32Array)].map(Number)]));

async function run(graph: Graph, ids: number[]): Promise<number[]> {
  const session = await createNodeEngine().load(writeModel(graph));
  const dims = [1, ids.length];
  const feeds = {
    input_ids: int64(ids, dims),
    attention_mask: int64(
      ids.map(() => 1),
      dims,
    ),
  };
  const { logits } = await session.run(feeds);
  await session.release();
  return [...(logits!.data as Float32Array)];
}

describe('a student that is cut out of its teacher', () => {
  it('has the layers that are named, with their weights, and new heads', async () => {
    const whole = teacher();
    const student = build(cut, { layers: [1, 3] }, whole);
    expect(describeModel(student.graph).layers).toHaveLength(2);
    const [own, theirs] = [contents(student.graph), contents(whole)];
    const weight = (layer: number, of = '') => `${of}encoder/layer.${layer}/attention/self/query/weight`;
    expect(own.get(weight(0, 'model/'))).toEqual(theirs.get(weight(1)));
    expect(own.get(weight(1, 'model/'))).toEqual(theirs.get(weight(3)));
    expect(own.get('model/embeddings/word_embeddings/weight')).toEqual(
      theirs.get('embeddings/word_embeddings/weight'),
    );
    expect([...own.keys()].some((name) => name.includes('layer.2'))).toBe(false);
    expect(student.parameters).toContain(weight(0, 'model/'));
    expect(await run(student.graph, [3, 4, 5])).toHaveLength(3);
  });

  it('of so many layers takes them evenly over the depth', () => {
    expect(keptLayers(4, 12)).toEqual([2, 5, 8, 11]);
    expect(keptLayers([0, 5], 12)).toEqual([0, 5]);
    expect(() => keptLayers(5, 4)).toThrow('the teacher has 4 layers, not 5');
    expect(() => keptLayers([0, 4], 4)).toThrow("layer 4 is not one of the teacher's");
    expect(() => keptLayers([2, 1], 4)).toThrow('in ascending order');
  });
});

describe('a residual network', () => {
  it('keeps the blocks that change the size of its maps', () => {
    const shapes = ['8x16x16', '8x16x16', '8x16x16', '16x8x8', '16x8x8', '16x8x8'];
    expect(keptBlocks(4, shapes)).toEqual([0, 2, 3, 5]);
    expect(keptBlocks([0, 3], shapes)).toEqual([0, 3]);
    expect(() => keptBlocks([0, 1], shapes)).toThrow('block 3 changes the size of the maps');
    expect(() => keptBlocks(1, shapes)).toThrow('1 blocks are too few: 2 change the size');
  });

  it('of which blocks are dropped goes on with what came before them', async () => {
    const sizes = { channels: 3, height: 8, width: 8, classes: 2 };
    const options = resnet.options.parse({ width: 4, stages: 2, blocks: 3 });
    const whole = toEvaluationForm(
      buildClassifier(resnet, options, { ...sizes, random: randomStream(3, 'teacher') }).graph,
    );
    const student = buildClassifier(cut as unknown as Backbone, cut.options.parse({ layers: [0, 3, 5] }), {
      ...sizes,
      random: randomStream(1, 'student'),
      given: { graph: whole },
    } as never);
    const [all, kept] = [whole, student.graph].map((graph) => describeModel(graph).layers);
    expect([all!.length, kept!.length]).toEqual([6, 3]);
    const [own, theirs] = [contents(student.graph), contents(whole)];
    for (const [name, content] of own)
      if (name.startsWith('model/')) expect(content).toEqual(theirs.get(name.slice('model/'.length)));
    const session = await createNodeEngine().load(writeModel(student.graph));
    const { logits } = await session.run({ pixel_values: zeros('float32', [1, 3, 8, 8]) });
    await session.release();
    expect(logits!.dims).toEqual([1, 2]);
  });
});

describe('any model as a student', () => {
  it('begins with its own weights or with drawn ones, and heads attach to one of its values', async () => {
    const whole = teacher();
    const own = build(onnxFile, { model: 'x', attach: 'pooler/output' }, whole);
    const drawn = build(onnxFile, { model: 'x', weights: 'drawn' }, whole);
    const name = 'encoder/layer.0/intermediate/dense/weight';
    expect(contents(own.graph).get(`model/${name}`)).toEqual(contents(whole).get(name));
    expect(contents(drawn.graph).get(`model/${name}`)).not.toEqual(contents(whole).get(name));
    // Scales of normalisations are the same everywhere: they stay.
    const scale = 'encoder/layer.0/output/LayerNorm/weight';
    expect(contents(drawn.graph).get(`model/${scale}`)).toEqual(contents(whole).get(scale));
    expect(drawn.parameters.length).toBeGreaterThan(60);
    expect(await run(own.graph, [7])).toHaveLength(3);
    expect(() => build(onnxFile, { model: 'x', attach: 'pooler/outputs' }, whole)).toThrow(
      "the student's model has no value 'pooler/outputs'",
    );
  });
});
