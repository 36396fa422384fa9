import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { foldBatchNorm } from '../onnx/passes/fold-batch-norm.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from './backbone.ts';
import { buildClassifier } from './build-student.ts';
import { efficientnetLite } from './efficientnet-lite.ts';
import { BACKBONES } from './index.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student } from './student.ts';

const IMAGE_STUDENTS = BACKBONES.filter(({ accepts }) => (accepts as readonly string[]).includes('image'));

const CLASSES = 5;
const SIZE = 12;
const engine = createNodeEngine();

/** Small students of every kind, and their variants. */
const VARIANTS: readonly (readonly [kind: string, options: Record<string, unknown>])[] = [
  ['resnet', { width: 8, blocks: 1, stages: 2 }],
  ['resnet', { width: 4, blocks: 2, stages: 2, bottleneck: true, zeroInit: false }],
  ['mobilenet-v3', { size: 'tiny', width: 0.5 }],
  ['efficientnet-lite', { size: 'tiny', width: 0.5 }],
  ['vit', { width: 8, heads: 2, layers: 1, patch: 4 }],
];

function build(kind: string, overrides: Record<string, unknown>): Student {
  const architecture = IMAGE_STUDENTS.find((one) => one.kind === kind) as unknown as Backbone;
  return buildClassifier(architecture, architecture.options.parse(overrides), {
    channels: 2,
    height: SIZE,
    width: SIZE,
    classes: CLASSES,
    random: randomStream(1, kind),
  });
}

/** Logits of made-up images. */
async function logits(graph: Graph, rows: number): Promise<number[][]> {
  const random = randomStream(2, 'images');
  const pixels = Float32Array.from({ length: rows * 2 * SIZE * SIZE }, () => random.uniform());
  const session = await engine.load(writeModel(graph));
  const { logits: result } = await session.run({ pixel_values: float32(pixels, [rows, 2, SIZE, SIZE]) });
  await session.release();
  expect(result.dims).toEqual([rows, CLASSES]);
  const values = Array.from(result.data as Float32Array);
  return Array.from({ length: rows }, (_, i) => values.slice(i * CLASSES, (i + 1) * CLASSES));
}

it('has variants of every student', () => {
  expect(new Set(VARIANTS.map(([kind]) => kind))).toEqual(new Set(IMAGE_STUDENTS.map(({ kind }) => kind)));
});

describe.each(VARIANTS)('%s %j', (kind, options) => {
  it('in its evaluation form, answers an image alike alone and in a batch', async () => {
    const graph = toEvaluationForm(build(kind, options).graph);
    const [alone] = await logits(graph, 1);
    const [first] = await logits(graph, 3);
    alone.forEach((value, i) => {
      expect(first[i]).toBeCloseTo(value, 4);
    });
  });

  it('answers alike with its batch normalisations folded', async () => {
    const graph = toEvaluationForm(build(kind, options).graph);
    const folded = foldBatchNorm(graph);
    expect(folded.nodes.filter(({ opType }) => opType === 'BatchNormalization')).toEqual([]);
    const [before, after] = [await logits(graph, 2), await logits(folded, 2)];
    before.flat().forEach((value, i) => {
      expect(after.flat()[i]).toBeCloseTo(value, 4);
    });
  });

  it('has no running statistic among its parameters', () => {
    const { graph, parameters } = build(kind, options);
    const statistics = [...graph.initializers.keys()].filter(({ name }) => name.includes('running'));
    expect(statistics.length > 0).toBe(kind !== 'vit');
    expect(statistics.filter(({ name }) => parameters.includes(name))).toEqual([]);
  });

  it('starts from the same parameters for the same seed', () => {
    const bytes = () => Buffer.from(writeModel(build(kind, options).graph)).toString('base64');
    expect(bytes()).toBe(bytes());
  });
});

it('a residual branch that starts at nothing leaves its input as it is', async () => {
  const count = (options: Record<string, unknown>) =>
    [...build('resnet', options).graph.initializers].filter(
      ([{ name }, { data }]) =>
        name.endsWith('scale') && (data as Float32Array).every((value) => value === 0),
    ).length;
  expect(count({ width: 4, stages: 2, blocks: 3 })).toBe(6);
  expect(count({ width: 4, stages: 2, blocks: 3, zeroInit: false })).toBe(0);
});

it.each([
  ['lite0', 4_652_008],
  ['lite1', 5_416_680],
  ['lite3', 8_197_096],
])(
  'efficientnet-lite of size %s has as many parameters as its authors count, with 1000 classes',
  (size, count) => {
    // Sizes alone count: drawing 13 million numbers takes a while.
    const random = { ...randomStream(1, 'sizes'), normal: () => 0 };
    const inputs = { channels: 3, height: 64, width: 64, classes: 1000, random };
    const { graph, parameters } = buildClassifier(
      efficientnetLite,
      efficientnetLite.options.parse({ size }),
      inputs,
    );
    const sizes = [...graph.initializers].filter(([{ name }]) => parameters.includes(name));
    expect(sizes.reduce((sum, [, { data }]) => sum + data.length, 0)).toBe(count);
  },
);

it('patches have to divide the image', () => {
  expect(() => build('vit', { patch: 5 })).toThrow(
    expect.objectContaining({
      code: 'recipe.invalid',
      message: expect.stringContaining('patches of 5 pixels do not divide 12 x 12'),
    }),
  );
});

it('a vision transformer has a map with a place for each patch, and a gradient for each parameter', () => {
  const backbone = IMAGE_STUDENTS.find(({ kind }) => kind === 'vit') as unknown as Backbone;
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(1, 'vit'));
  const options = backbone.options.parse({ width: 8, heads: 2, layers: 2, patch: 3 });
  const features = backbone.build(g, make, options, { channels: 1, height: 6, width: 12 } as never);
  const map = features.map?.().value as TypedValue;
  expect(map.shape).toEqual(['batch', 8, 2, 4]);
  const whole = features.pooled?.().value as TypedValue;
  const loss = g.add(g.reduceSum(g.square(map)), g.reduceSum(g.square(whole)));
  const parameters = [...g.initializers.keys()].filter(({ name }) => make.names.includes(name));
  const found = gradients(g, g.reduceSum(loss, { keepDims: false }), parameters as TypedValue[]);
  expect(parameters.length).toBeGreaterThan(30);
  expect(found.includes(null)).toBe(false);
});
