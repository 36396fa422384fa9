import { describe, expect, it } from 'vitest';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import type { Graph } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { ONE_CLASS } from '../../targets/inner/one-class.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import { attributionQuestions } from './attribution-requests.ts';
import { AttributionSums } from './attribution-sums.ts';
import { drawGraph, type GraphSubject } from './draw-graph.ts';
import { type KnowledgeGraph, knowledgeGraphSchema } from './knowledge-graph.ts';
import { REGION_NAMES } from './region-grid.ts';

const source = { teacher: 'teacher', sample: 'sample' } as const;

/**
 * Tokens are worth 1, 2 and -1. Two heads attend evenly; the first's sums count 3, the second's 1, towards class 0 and
 * against class 1.
 */
function attentionTeacher(): { graph: Graph; anatomy: ModelAnatomy & { logits: string } } {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const embedded = g.identity(g.gather(g.initializer('table', float32([1, 2, -1], [3, 1])), ids), 'embedded');
  const values = g.unsqueeze(embedded, [1]);
  const even = g.mul(g.matMul(values, g.transpose(values, [0, 1, 3, 2])), 0);
  const probabilities = g.identity(g.softmax(g.concat([even, even], 1)), 'probabilities');
  const context = g.matMul(probabilities, values);
  const hidden = g.identity(g.reshape(g.transpose(context, [0, 2, 1, 3]), [0, 0, 2]), 'hidden');
  const summed = g.reduceSum(hidden, { axes: [1], keepDims: false });
  g.output(g.matMul(summed, g.initializer('weight', float32([3, -3, 1, -1], [2, 2]))), 'logits');
  return {
    graph: g.build(),
    anatomy: {
      family: 'transformer',
      features: 'embedded',
      logits: 'logits',
      layers: [
        {
          name: 'layer_0',
          hidden: { name: 'hidden', width: 2 },
          attention: { probabilities: 'probabilities', heads: 2 },
        },
      ],
    },
  };
}

async function attributionsOf(
  graph: Graph,
  anatomy: ModelAnatomy & { logits: string },
  unit: 'texts' | 'images',
  feeds: Record<string, Tensor>,
) {
  const questions = attributionQuestions(anatomy, unit, {
    inner: ONE_CLASS,
    of: (_, teacher) => teacher.value(anatomy.logits),
  });
  const tapped = tapTeacher(graph, questions.requests);
  const answers = await runGraph(tapped.graph, feeds);
  return questions.read(
    Object.fromEntries(Object.entries(answers).map(([tap, { data }]) => [tap, data as Float32Array])),
  );
}

const node = (graph: KnowledgeGraph, id: string) => graph.nodes.find((candidate) => candidate.id === id);
const weight = (graph: KnowledgeGraph, from: string, to: string) =>
  graph.edges.find((edge) => edge.from === from && edge.to === to)?.weight;

describe('the knowledge graph of a transformer', () => {
  it('has the attributions that are worked out by hand', async () => {
    const { graph: teacher, anatomy } = attentionTeacher();
    const subject: GraphSubject = {
      teacher: anatomy,
      labels: ['for', 'against'],
      source: { ...source, unit: 'texts' },
    };
    const sums = new AttributionSums(anatomy, subject.labels.length);
    // A batch each: "a b" is for class 0 by 12, "c c" for class 1 by 8.
    for (const [ids, names] of [
      [
        [0, 1],
        ['a', 'b'],
      ],
      [
        [2, 2],
        ['c', 'c'],
      ],
    ] as const)
      sums.add(
        await attributionsOf(teacher, anatomy, 'texts', { input_ids: int64(ids, [1, 2]) }),
        () => names,
      );
    const graph = drawGraph(sums, subject);
    expect(knowledgeGraphSchema.parse(graph)).toEqual(graph);
    // Head 0: two queries, attention 1/2, slope 3 times the token's worth: 3 + 6 in the first text, 3 + 3 in the second.
    expect(node(graph, 'layer/0/head/0')).toMatchObject({ attribution: 7.5, importance: 0.75 });
    expect(node(graph, 'layer/0/head/1')).toMatchObject({ attribution: 2.5, importance: 0.25 });
    expect(graph.layers[0]?.heads).toEqual([0.75, 0.25]);
    expect(weight(graph, 'input/a', 'layer/0/head/0')).toBe(1.5);
    expect(weight(graph, 'input/c', 'layer/0/head/0')).toBe(3);
    expect(weight(graph, 'layer/0/head/0', 'class/0')).toBe(4.5);
    expect(weight(graph, 'layer/0/head/0', 'layer/0')).toBe(7.5);
    // Hidden states: (3 + 1) * 1.5 at each of two places, and 4 at each of two.
    expect(node(graph, 'layer/0')).toMatchObject({ attribution: 10, importance: 1, label: 'layer_0' });
    expect(weight(graph, 'layer/0', 'class/0')).toBe(6);
    // Embeddings: 4 times the token's worth.
    expect(node(graph, 'input/a')).toMatchObject({ attribution: 2, importance: 0.2, occurrences: 1 });
    expect(node(graph, 'input/c')).toMatchObject({ attribution: 4, importance: 0.4, occurrences: 2 });
    expect(node(graph, 'class/1')).toMatchObject({ label: 'against', importance: 0.5, occurrences: 1 });
    expect(graph.samples).toBe(2);
  });

  it('does not look at padding', async () => {
    const { graph: teacher, anatomy } = attentionTeacher();
    const subject: GraphSubject = {
      teacher: anatomy,
      labels: ['for', 'against'],
      source: { ...source, unit: 'texts' },
    };
    const sums = new AttributionSums(anatomy, subject.labels.length);
    const feeds = { input_ids: int64([0, 1, 2], [1, 3]) };
    sums.add(await attributionsOf(teacher, anatomy, 'texts', feeds), () => ['a', 'b', undefined]);
    const inputs = drawGraph(sums, subject).nodes.filter(({ kind }) => kind === 'input');
    expect(inputs.map(({ label }) => label)).toEqual(['b', 'a']);
  });

  it('sums up what is too much to show, and loses nothing of it', () => {
    const anatomy: ModelAnatomy = {
      family: 'transformer',
      layers: [{ name: 'layer_0', attention: { probabilities: 'p', heads: 1 } }],
      features: 'x',
    };
    const subject: GraphSubject = {
      teacher: anatomy,
      labels: Array.from({ length: 100 }, (_, label) => `class ${label}`),
      source: { ...source, unit: 'texts' },
    };
    const sums = new AttributionSums(anatomy, subject.labels.length);
    // 12,000 tokens, each seen once; all classes but the first few once.
    const places = 100;
    for (let sample = 0; sample < 120; sample++) {
      sums.add(
        {
          logits: Float32Array.from({ length: 100 }, (_, label) => (label === sample % 100 ? 1 : 0)),
          input: new Float32Array(places).fill(1),
          layers: [{ units: new Float32Array(places).fill(2) }],
        },
        () => Array.from({ length: places }, (_, place) => `token ${sample * places + place}`),
      );
    }
    const graph = drawGraph(sums, subject);
    const of = (kind: string) => graph.nodes.filter((candidate) => candidate.kind === kind);
    const importance = (kind: string) => of(kind).reduce((sum, candidate) => sum + candidate.importance, 0);
    expect(of('input')).toHaveLength(25);
    expect(of('input').at(-1)).toMatchObject({ label: 'all others', others: 12_000 - 24 });
    expect(importance('input')).toBeCloseTo(1, 4);
    expect(of('class')).toHaveLength(33);
    expect(importance('class')).toBeCloseTo(1, 4);
    const read = graph.edges.filter(({ to, kind }) => kind === 'reads' && to === 'layer/0/head/0');
    expect(read.at(-1)).toMatchObject({ from: 'other-inputs' });
    expect(read.at(-1)?.weight).toBeGreaterThan(190);
    expect(graph.edges.every(({ from, to }) => node(graph, from) && node(graph, to))).toBe(true);
  });
});

describe('the knowledge graph of a convolutional network', () => {
  it('finds the one channel that matters, and where', async () => {
    const g = new GraphBuilder();
    const pixels = g.input('pixel_values', 'float32', ['batch', 1, 8, 8]);
    const kernel = g.initializer('kernel', float32([1, 5, 9], [3, 1, 1, 1]));
    const features = g.relu(g.op('Conv', [pixels, kernel]));
    const mean = g.reduceMean(features, { axes: [2, 3], keepDims: false });
    g.output(g.matMul(mean, g.initializer('weight', float32([0, 0, 64, -64, 0, 0], [3, 2]))), 'logits');
    const anatomy = {
      family: 'convolutional',
      features: 'pixel_values',
      logits: 'logits',
      layers: [
        {
          name: 'stage_1/block_1',
          features: { name: features.name, channels: 3, height: 8, width: 8, endsStage: true },
        },
      ],
    } as const satisfies ModelAnatomy;
    const subject: GraphSubject = {
      teacher: anatomy,
      labels: ['bright', 'dark'],
      source: { ...source, unit: 'images' },
    };
    const sums = new AttributionSums(anatomy, subject.labels.length);
    // One bright pixel, in the second row of regions and the last column.
    const image = new Float32Array(64);
    image[3 * 8 + 6] = 2;
    const feeds = { pixel_values: float32(image, [1, 1, 8, 8]) };
    sums.add(await attributionsOf(g.build(), anatomy, 'images', feeds), () => REGION_NAMES);
    const graph = drawGraph(sums, subject);
    expect(graph.layers[0]?.channels).toEqual([0, 1, 0]);
    expect(node(graph, 'layer/0/channel/1')).toMatchObject({ attribution: 10, importance: 1 });
    expect(node(graph, 'layer/0')).toMatchObject({ attribution: 10, importance: 1 });
    expect(node(graph, 'input/upper right')).toMatchObject({ attribution: 10, importance: 1 });
    expect(weight(graph, 'input/upper right', 'layer/0/channel/1')).toBe(10);
    expect(weight(graph, 'layer/0/channel/1', 'class/0')).toBe(10);
    expect(graph.edges.filter(({ kind }) => kind === 'reads')).toHaveLength(2);
  });
});
