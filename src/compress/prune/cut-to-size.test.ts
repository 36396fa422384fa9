import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ModelLayer } from '../../onnx/anatomy/anatomy.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { readModel } from '../../onnx/read-model.ts';
import { float32, int64, type Tensor, toNumbers, zeros } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { torchvisionVit } from '../../onnx/testing/torchvision-vit.ts';
import { randomStream } from '../../random.ts';
import { albert } from '../../students/albert.ts';
import type { Backbone } from '../../students/backbone.ts';
import { bert } from '../../students/bert.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { cut } from '../../students/cut.ts';
import { resnet } from '../../students/resnet.ts';
import { vit } from '../../students/vit.ts';
import { cutToSize } from './cut-to-size.ts';

const SIZES = { width: 8, heads: 2, layers: 4, feedForward: 16 };
const TEXTS = { vocabularySize: 30, maxLength: 8, classes: 3 };
const random = randomStream(3, 'teacher');
const teacher = buildClassifier(bert, bert.options.parse(SIZES), { ...TEXTS, random }).graph;

const weight = ({ initializers }: Graph, name: string) =>
  [...initializers].find(([value]) => value.name === name)?.[1] as Tensor;

/** L1 norms of the slices of a matrix along an axis, in blocks of so many, as parts of their mean. */
function norms(of: Tensor, axis: 0 | 1, block = 1): number[] {
  const [, columns] = of.dims as [number, number];
  const sums = new Array<number>((of.dims[axis] as number) / block).fill(0);
  toNumbers(of).forEach((value, i) => {
    const index = axis === 0 ? Math.floor(i / columns) : i % columns;
    sums[Math.floor(index / block)]! += Math.abs(value);
  });
  const mean = sums.reduce((a, b) => a + b) / sums.length;
  return sums.map((sum) => sum / mean);
}

/** The indices of the largest sums, in ascending order. */
function best(parts: readonly number[][], count: number): number[] {
  const sums = parts[0]!.map((_, i) => parts.reduce((sum, part) => sum + part[i]!, 0));
  const order = [...sums.keys()].sort((a, b) => sums[b]! - sums[a]!);
  return order.slice(0, count).sort((a, b) => a - b);
}

function part(of: Tensor, rows: readonly number[] | undefined, columns: readonly number[]): number[] {
  const [height, width] = of.dims as [number, number];
  const values = toNumbers(of);
  return (rows ?? Array.from({ length: height }, (_, i) => i)).flatMap((row) =>
    columns.map((column) => values[row * width + column] as number),
  );
}

describe('a BERT that is cut by layers, heads and width', () => {
  const { graph, attach } = cutToSize({ graph: teacher }, { layers: [1, 3], heads: 1, width: 0.5 });
  const layer = (i: number) => `encoder/layer.${i}`;
  const of = (i: number, name: string) => weight(teacher, `${layer(i)}/${name}/weight`);
  // By hand: the matrices that a channel of the hidden states, a head, a neuron is in, of the layers that are left.
  const channels = best(
    [
      norms(weight(teacher, 'embeddings/word_embeddings/weight'), 1),
      norms(weight(teacher, 'embeddings/position_embeddings/weight'), 1),
      ...[1, 3].flatMap((i) => [
        ...['query', 'key', 'value'].map((name) => norms(of(i, `attention/self/${name}`), 0)),
        norms(of(i, 'attention/output/dense'), 1),
        norms(of(i, 'intermediate/dense'), 0),
        norms(of(i, 'output/dense'), 1),
      ]),
    ],
    4,
  );

  it('has what is left of them, with the weights of the teacher', () => {
    expect(attach).toBe('encoder/layer.1/output');
    const { layers } = describeModel(graph);
    expect(layers.map(({ hidden, attention }) => [hidden?.width, attention?.heads])).toEqual([
      [4, 1],
      [4, 1],
    ]);
    const words = 'embeddings/word_embeddings/weight';
    expect(toNumbers(weight(graph, words))).toEqual(part(weight(teacher, words), undefined, channels));
    for (const [now, before] of [
      [0, 1],
      [1, 3],
    ] as const) {
      const self = (name: string) => of(before, `attention/self/${name}`);
      const [head] = best(
        [
          ...['query', 'key', 'value'].map((name) => norms(self(name), 1, 4)),
          norms(of(before, 'attention/output/dense'), 0, 4),
        ],
        1,
      ) as [number];
      const own = [0, 1, 2, 3].map((i) => 4 * head + i);
      expect(toNumbers(weight(graph, `${layer(now)}/attention/self/value/weight`))).toEqual(
        part(self('value'), channels, own),
      );
      const neurons = best(
        [norms(of(before, 'intermediate/dense'), 1), norms(of(before, 'output/dense'), 0)],
        8,
      );
      expect(toNumbers(weight(graph, `${layer(now)}/output/dense/weight`))).toEqual(
        part(of(before, 'output/dense'), neurons, channels),
      );
    }
  });

  it('is a student that answers', async () => {
    const backbone = cut as unknown as Backbone;
    const student = buildClassifier(backbone, cut.options.parse({ layers: [1, 3], heads: 1, width: 0.5 }), {
      ...TEXTS,
      random,
      given: { graph, attach },
    } as never);
    const { logits } = await runGraph(student.graph, {
      input_ids: int64([3, 4, 5], [1, 3]),
      attention_mask: int64([1, 1, 1], [1, 3]),
    });
    expect(logits?.dims).toEqual([1, 3]);
    expect(toNumbers(logits as Tensor).every(Number.isFinite)).toBe(true);
    expect(student.parameters).toContain('model/encoder/layer.1/attention/self/query/weight');
  });
});

it('a layer that is repeated is cut once, and whole heads that stay are what they were', async () => {
  const options = albert.options.parse({ ...SIZES, embedding: 4 });
  const { graph: whole } = buildClassifier(albert, options, { ...TEXTS, random });
  const { graph } = cutToSize({ graph: whole }, { layers: 3, heads: 1, width: 0.75 });
  expect(
    describeModel(graph).layers.map(({ attention, hidden }) => [attention?.heads, hidden?.width]),
  ).toEqual(new Array(3).fill([1, 6]));
});

it.each(['bert.torchscript.16', 'distilbert.dynamo.18', 'gpt2.dynamo.18'])(
  'cuts what PyTorch exported: %s, whose sizes are computed',
  async (name) => {
    const file = join(
      import.meta.dirname,
      `../../../test/pytorch-gradients/cases/${name}.eval.symbolic.onnx.gz`,
    );
    const given = readModel(gunzipSync(readFileSync(file)), { title: name });
    const { graph } = cutToSize({ graph: given }, { layers: 2, heads: 1, width: 0.5 });
    expect(
      describeModel(graph).layers.map(({ hidden, attention }) => [hidden?.width, attention?.heads]),
    ).toEqual([
      [8, 1],
      [8, 1],
    ]);
    const feeds = {
      input_0: int64(
        Array.from({ length: 27 }, (_, i) => 3 + i),
        [3, 9],
      ),
      input_1: int64(new Array(27).fill(1), [3, 9]),
    };
    const [state] = Object.values(await runGraph(graph, feeds));
    expect(state?.dims).toEqual([3, 9, 8]);
  },
);

const IMAGES = { channels: 3, height: 16, width: 16, classes: 2, random };

it('of a residual network the same channels stay through a stage, with what each block makes of them', async () => {
  const options = resnet.options.parse({ width: 8, stages: 2, blocks: 2 });
  const whole = toEvaluationForm(buildClassifier(resnet, options, IMAGES).graph);
  const { graph, attach } = cutToSize({ graph: whole }, { layers: [0, 2], width: 0.5 });
  const rows = (name: string) => {
    const [own, all] = [graph, whole].map((of) => weight(of, name)) as [Tensor, Tensor];
    const length = all.data.length / all.dims[0]!;
    const slice = (of: Tensor, i: number) => toNumbers(of).slice(i * length, (i + 1) * length);
    return { own, all, length, slice };
  };
  const stem = rows('stem/first/convolution/weight');
  const kept = Array.from({ length: 4 }, (_, i) =>
    Array.from({ length: 8 }, (_, j) => j).findIndex(
      (j) => `${stem.slice(stem.own, i)}` === `${stem.slice(stem.all, j)}`,
    ),
  );
  expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
  // What the block reads, and what it gives to the sum, are those channels.
  const first = rows('stage_1/block_1/first/convolution/weight');
  const inputs = (of: Tensor, row: number, columns: readonly number[]) => {
    const [, channels] = of.dims as [number, number];
    const each = of.data.length / of.dims[0]! / channels;
    const values = toNumbers(of).slice(row * channels * each, (row + 1) * channels * each);
    return columns.flatMap((column) => values.slice(column * each, (column + 1) * each));
  };
  const all = Array.from({ length: 8 }, (_, j) => `${inputs(first.all, j, kept)}`);
  for (let i = 0; i < 4; i++) expect(all).toContain(`${inputs(first.own, i, [0, 1, 2, 3])}`);
  const second = rows('stage_1/block_1/second/convolution/weight');
  expect(second.own.dims).toEqual([4, 4, 3, 3]);
  const state = await runGraph(graph, { pixel_values: zeros('float32', [2, 3, 16, 16]) });
  expect(state[attach as string]?.dims).toEqual([2, 8, 8, 8]);
});

it('a vision transformer is cut as one of texts, and keeps its last normalisation', async () => {
  const options = vit.options.parse({ width: 16, heads: 4, layers: 3, patch: 8 });
  const whole = buildClassifier(vit, options, IMAGES).graph;
  const pixels = {
    pixel_values: float32(
      Float32Array.from({ length: 1536 }, (_, i) => Math.sin(i)),
      [2, 3, 16, 16],
    ),
  };
  const all = cutToSize({ graph: whole }, { layers: 3 });
  const { logits } = await runGraph(whole, pixels);
  const g = new GraphBuilder();
  const values = g.inline(
    all.graph,
    new Map([['pixel_values', g.input('pixel_values', 'float32', [2, 3, 16, 16])]]),
  );
  const token = g.squeeze(g.slice(values.get(all.attach as string)!, 1, 0, 1), [1]);
  const head = [...whole.initializers].filter(([{ name }]) => name.startsWith('classifier'));
  const [matrix, bias] = ['weight', 'bias'].map((name) =>
    g.initializer(name, head.find(([value]) => value.name.endsWith(name))![1]),
  );
  g.output(g.add(g.matMul(token, matrix!), bias!), 'logits');
  const again = await runGraph(g.build(), pixels);
  expect(toNumbers(again.logits!)).toEqual(toNumbers(logits!).map((value) => expect.closeTo(value, 5)));

  const { graph, attach } = cutToSize({ graph: whole }, { layers: 2, heads: 2, width: 0.5 });
  const { layers } = describeModel(graph);
  expect(layers.map(({ hidden, attention }) => [hidden?.width, attention?.heads])).toEqual([
    [8, 2],
    [8, 2],
  ]);
  expect((await runGraph(graph, pixels))[attach as string]?.dims).toEqual([2, 5, 8]);
});

describe('what cannot be cut is refused', () => {
  const convolutional = buildClassifier(resnet, resnet.options.parse({ width: 4, stages: 1, blocks: 2 }), {
    ...{ channels: 1, height: 8, width: 8, classes: 2, random },
  }).graph;
  it.each([
    ['more heads than there are', teacher, { heads: 3 }, 'the teacher has 2 heads in layer_0, not 3'],
    ['a cut that leaves nothing', teacher, { width: 0.05 }, 'nothing is left of the'],
    ['heads of what does not attend', convolutional, { heads: 2 }, 'the teacher has no attention heads'],
  ])('%s', (_, graph, size, message) => {
    expect(() => cutToSize({ graph }, { layers: 2, ...size })).toThrow(
      expect.objectContaining({ code: 'recipe.invalid', message: expect.stringContaining(message) }),
    );
  });
});

it('cuts heads of a vision transformer as torchvision has it, which are as if they had never been', async () => {
  const pixels = {
    pixel_values: float32(
      Array.from({ length: 384 }, (_, i) => Math.sin(i)),
      [2, 3, 8, 8],
    ),
  };
  const whole = torchvisionVit({ width: 12, heads: 3, layers: 1 });
  const { graph, attach } = cutToSize({ graph: whole }, { heads: 2 });
  const name = attach as string;
  const [{ attention, hidden }] = describeModel(graph).layers as [ModelLayer];
  expect([attention?.heads, hidden?.width]).toEqual([2, 12]);
  const given = Object.values(await runGraph(graph, pixels))[0] as Tensor;
  const differences: number[] = [];
  for (const gone of [0, 1, 2]) {
    const initializers = [...whole.initializers].map(([value, content]): [Value, Tensor] => {
      if (!value.name.endsWith('out_proj.weight')) return [value, content];
      // [outputs, inputs]: what comes of a head counts nothing.
      const data = Float32Array.from(toNumbers(content), (number, i) =>
        Math.floor((i % 12) / 4) === gone ? 0 : number,
      );
      return [value, float32(data, content.dims)];
    });
    const without = withOutputs({ ...whole, initializers: new Map(initializers) }, [name]);
    const expected = toNumbers((await runGraph(without, pixels))[name] as Tensor);
    differences.push(
      Math.max(...toNumbers(given).map((value, i) => Math.abs(value - (expected[i] as number)))),
    );
  }
  expect(Math.min(...differences)).toBeLessThan(1e-5);
  expect(differences.filter((difference) => difference < 1e-5)).toHaveLength(1);
});
