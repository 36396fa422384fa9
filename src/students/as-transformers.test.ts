import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { type Attribute, type Graph, intAttribute, type Node, type Value } from '../onnx/graph.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { readModel } from '../onnx/read-model.ts';
import { float32, int64, type Tensor, toNumbers } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { randomStream } from '../random.ts';
import { openHead } from '../targets/index.ts';
import { linearHead } from '../targets/linear-head.ts';
import { pairs } from '../targets/pairs.ts';
import type { AnyTarget } from '../targets/target.ts';
import type { Backbone } from './backbone.ts';
import { buildClassifier, buildStudent } from './build-student.ts';
import { clip } from './clip.ts';
import { BACKBONES } from './index.ts';
import { wav2vec2 } from './wav2vec2.ts';

// Students with the weights of models that transformers (of vit: torchvision) made and PyTorch exported give what those give.
const CASES = join(import.meta.dirname, '../../test/pytorch-gradients/cases');

function exported(name: string): Graph {
  const file = readdirSync(CASES).find((one) => one.startsWith(`${name}.dynamo`) && one.endsWith('.onnx.gz'));
  return readModel(gunzipSync(readFileSync(join(CASES, file as string))), { title: name });
}

const READING = ['MatMul', 'Add', 'LayerNormalization', 'Conv', 'Gemm'];
/** Tables of positions, which our graphs have as larger tables or in another shape. */
const isTable = ({ name }: Value) => /^embedding(_\d)?$|position|pos_embedding/.test(name);

/** Weights of layers and normalisations in the order in which nodes read them, matrices as [inputs, outputs]. */
function weightsInOrder({ nodes, initializers }: Graph): [value: Value, content: Tensor][] {
  const seen = new Set<Value>();
  return nodes.flatMap((node) => {
    if (!READING.includes(node.opType)) return [];
    return node.inputs.flatMap((value, place): [Value, Tensor][] => {
      const content = value && initializers.get(value);
      if (!value || !content || content.type !== 'float32' || content.data.length < 2) return [];
      if (isTable(value) || seen.has(value)) return [];
      seen.add(value);
      const isTurned = node.opType === 'Gemm' && place === 1 && intAttribute(node, 'transB', 0) === 1;
      return [[value, isTurned ? turned(content) : content]];
    });
  });
}

function turned(content: Tensor): Tensor {
  const [rows, columns] = content.dims as [number, number];
  const values = toNumbers(content);
  const data = values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)] as number);
  return float32(data, [columns, rows]);
}

/** Queries, keys and values that lie in one matrix and one bias, as three of each. */
function unpacked(list: readonly Tensor[]): Tensor[] {
  return list.flatMap((content, i) => {
    const { dims } = content;
    const next = list[i + 1];
    if (dims[0] === 48) return [];
    if (dims[1] !== 48 || !next) return [content];
    const third = (of: Tensor, part: number) =>
      toNumbers(of).filter((_, at) => Math.floor((at % 48) / 16) === part);
    return [0, 1, 2].flatMap((part) => [
      float32(third(content, part), [16, 16]),
      float32(third(next, part), [16]),
    ]);
  });
}

/** Our graph with their weights; `more` by the ends of their names. */
function withWeights(ours: Graph, theirs: readonly Tensor[], more: Record<string, Tensor>): Graph {
  const taken = new Map(weightsInOrder(ours).map(([{ name }], i) => [name, theirs[i]]));
  const initializers = new Map(
    [...ours.initializers].map(([value, own]) => {
      const end = Object.keys(more).find((name) => value.name.endsWith(name));
      const content = (end !== undefined ? more[end] : taken.get(value.name)) ?? own;
      expect(content.data.length, value.name).toBe(own.data.length);
      return [value, { ...content, dims: own.dims } as Tensor];
    }),
  );
  return { ...ours, initializers };
}

const named = ({ initializers }: Graph, part: RegExp) =>
  [...initializers].find(([{ name }]) => part.test(name))?.[1] as Tensor;

const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
const difference = (a: Tensor, b: Tensor) =>
  largest(toNumbers(a).map((value, i) => value - (toNumbers(b)[i] as number)));

const TEXTS = {
  ids: [3, 14, 15, 9, 26, 5, 35, 8, 49, 7, 9, 3, 2, 3, 49, 4, 6, 2],
  mask: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
};
const SIZES = { width: 16, heads: 2, layers: 2, feedForward: 32 };
const random = randomStream(1, 'students');

describe.each([
  ['bert', { ...SIZES }],
  ['albert', { ...SIZES, embedding: 8 }],
  ['distilbert', { ...SIZES }],
])('%s', (kind, options) => {
  it('gives the hidden states and the attention that transformers gives', async () => {
    const theirs = exported(kind);
    const backbone = BACKBONES.find((one) => one.kind === kind) as unknown as Backbone;
    const { graph } = buildClassifier(backbone, backbone.options.parse(options), {
      ...{ vocabularySize: 50, maxLength: 9, classes: 3, random },
    } as never);
    const types = named(theirs, /token_type_embeddings/);
    // Texts that are not pairs are all of the first type.
    const positions = toNumbers(named(theirs, /^embedding_\d$/)).map((value, i) =>
      types ? value + (toNumbers(types)[i % (types.dims[1] as number)] as number) : value,
    );
    const weights = weightsInOrder(theirs).map(([, content]) => content);
    const own = withWeights(graph, weights, {
      'word_embeddings/weight': named(theirs, /word_embeddings/),
      'position_embeddings/weight': float32(positions),
    });
    const { layers } = describeModel(graph);
    expect(layers).toHaveLength(2);
    const last = theirs.nodes.filter(({ opType }) => opType === 'LayerNormalization').at(-1)?.outputs[0];
    const softmax = theirs.nodes.filter(({ opType }) => opType === 'Softmax').map((node) => node.outputs[0]);
    const names = [last, ...softmax].map((value) => value?.name as string);
    const [ids, mask] = [int64(TEXTS.ids, [2, 9]), int64(TEXTS.mask, [2, 9])];
    const wanted = await runGraph(withOutputs(theirs, names), { input_0: ids, input_1: mask });
    const ourNames = [layers[1]?.hidden?.name, ...layers.map(({ attention }) => attention?.probabilities)];
    const got = await runGraph(withOutputs(own, ourNames as string[]), {
      input_ids: ids,
      attention_mask: mask,
    });
    // Padding is left out: it has the position of a neighbour here, one of its own there.
    const kept = (tensor: Tensor) => {
      const inner = tensor.dims.at(-1) as number;
      return toNumbers(tensor).map((value, i) => {
        const token = 9 * Math.floor((2 * i) / tensor.data.length) + (Math.floor(i / inner) % 9);
        return TEXTS.mask[token] ? value : 0;
      });
    };
    names.forEach((name, i) => {
      const [a, b] = [got[ourNames[i] as string], wanted[name]] as [Tensor, Tensor];
      expect(a.dims).toEqual(b.dims);
      expect(difference(float32(kept(a)), float32(kept(b)))).toBeLessThan(2e-6);
    });
  });
});

/** Images without zeros, [2, 3, side, side]. */
const images = (side: number) =>
  float32(
    Array.from({ length: 6 * side * side }, (_, i) => Math.sin(0.7 * i) + 0.03),
    [2, 3, side, side],
  );

const isNorm = ({ opType }: Node) => opType === 'LayerNormalization';

it('vit gives the logits of torchvision', async () => {
  const theirs = exported('vit');
  const backbone = BACKBONES.find(({ kind }) => kind === 'vit') as unknown as Backbone;
  const { graph } = buildClassifier(backbone, backbone.options.parse({ ...SIZES, patch: 8 }), {
    ...{ channels: 3, height: 32, width: 32, classes: 5, random },
  } as never);
  const own = withWeights(graph, unpacked(weightsInOrder(theirs).map(([, content]) => content)), {
    cls_token: named(theirs, /class_token/),
    position_embeddings: named(theirs, /pos_embedding/),
  });
  const logits = theirs.nodes.filter(({ opType }) => opType === 'Gemm').at(-1)?.outputs[0]?.name as string;
  const wanted = await runGraph(withOutputs(theirs, [logits]), { input_0: images(32) });
  // torchvision adds 1e-6 to variances, transformers 1e-12.
  const epsilon = theirs.nodes.find(isNorm)?.attributes.get('epsilon') as Attribute;
  const nodes = own.nodes.map((node) =>
    isNorm(node) ? { ...node, attributes: new Map([...node.attributes, ['epsilon', epsilon]]) } : node,
  );
  const got = await runGraph({ ...own, nodes }, { pixel_values: images(32) });
  expect(difference(got.logits as Tensor, wanted[logits] as Tensor)).toBeLessThan(2e-6);
  const { layers } = describeModel(graph);
  expect(layers.map(({ hidden, attention }) => [hidden?.name, attention?.probabilities])).toEqual(
    [0, 1].map((i) => [`encoder/layer.${i}/output`, `encoder/layer.${i}/attention/attention/probabilities`]),
  );
});

/** The weight of a convolution over one dimension, [outputs, inputs, kernel], as [kernel * inputs, outputs]. */
function overNeighbours(content: Tensor): Tensor {
  const [outputs, inputs, kernel] = content.dims as [number, number, number];
  const values = toNumbers(content);
  const data = values.map((_, at) => {
    const [place, output] = [Math.floor(at / outputs), at % outputs];
    const [offset, input] = [Math.floor(place / inputs), place % inputs];
    return values[(output * inputs + input) * kernel + offset] as number;
  });
  return float32(data, [kernel * inputs, outputs]);
}

it('wav2vec2 gives the hidden states, the attention and the logits of transformers', async () => {
  const theirs = exported('wav2vec2');
  const { graph } = buildStudent({
    backbone: wav2vec2,
    options: wav2vec2.options.parse({
      ...{ ...SIZES, channels: 8, kernels: [10, 3, 2], strides: [5, 2, 2] },
      ...{ positions: 8, positionGroups: 4, projection: 8 },
    }),
    inputs: { samplingRate: 16_000 },
    heads: [linearHead(5)],
    random,
  });
  const isWaveform = ({ dims: [outputs] }: Tensor, at: number) => at < 4 && outputs === 8;
  const weights = weightsInOrder(theirs).map(([, content], at) =>
    content.dims.length === 3 && isWaveform(content, at) ? overNeighbours(content) : content,
  );
  const scale = theirs.nodes.find(({ opType, inputs: [, by] }) => {
    const content = opType === 'Mul' && by ? theirs.initializers.get(by) : undefined;
    return content?.dims.join() === '8,1';
  })?.inputs[1];
  const own = withWeights(graph, weights, {
    'conv_layers.0/layer_norm/weight': theirs.initializers.get(scale as Value) as Tensor,
  });
  const waveforms = float32(
    Array.from({ length: 800 }, (_, i) => Math.sin(0.3 * i) * Math.cos(0.011 * i * i)),
    [2, 400],
  );
  const ends = (opType: string) =>
    theirs.nodes.filter((node) => node.opType === opType).map(({ outputs }) => outputs[0]?.name as string);
  const norms = ends('LayerNormalization');
  const names = [norms[3], norms[5], ...ends('Softmax'), ends('Gemm').at(-1)] as string[];
  const wanted = await runGraph(withOutputs(theirs, names), { input_0: waveforms });
  const { layers } = describeModel(graph);
  const ourNames = [
    ...layers.map(({ hidden }) => hidden?.name),
    ...layers.map(({ attention }) => attention?.probabilities),
    'logits',
  ] as string[];
  expect(ourNames.slice(0, 4)).toEqual([
    ...[0, 1].map((i) => `encoder/layers.${i}/output`),
    ...[0, 1].map((i) => `encoder/layers.${i}/attention/probabilities`),
  ]);
  const got = await runGraph(withOutputs(own, ourNames), { input_values: waveforms });
  names.forEach((name, i) => {
    const [a, b] = [got[ourNames[i] as string], wanted[name]] as [Tensor, Tensor];
    expect(a.dims).toEqual(b.dims);
    expect(difference(a, b), name).toBeLessThan(5e-6);
  });
});

it('clip gives the vectors of transformers, of texts and of images', async () => {
  const { graph } = buildStudent({
    backbone: clip,
    options: clip.options.parse({ text: SIZES, image: { ...SIZES, patch: 4 } }),
    inputs: {
      text: { vocabularySize: 50, maxLength: 9 },
      image: { channels: 3, height: 16, width: 16 },
    },
    heads: [
      openHead({
        ...{ output: 'pair_embeds', target: pairs as unknown as AnyTarget, options: { width: 8 } },
        ...{ space: { width: 16 }, labels: 'labels' },
      }),
    ],
    random,
  });
  const [text, vision] = [exported('clip-text'), exported('clip-vision')];
  // Both towers are built before their projections.
  const [textWeights, visionWeights] = [text, vision].map((of) =>
    weightsInOrder(of).map(([, content]) => content),
  ) as [Tensor[], Tensor[]];
  const [textEnd, visionEnd] = [textWeights.pop(), visionWeights.pop()] as [Tensor, Tensor];
  const own = withWeights(graph, [...textWeights, ...visionWeights, textEnd, visionEnd], {
    'token_embedding/weight': named(text, /token_embedding/),
    'text_model/embeddings/position_embedding/weight': named(text, /^embedding_\d$/),
    class_embedding: named(vision, /class_embedding/),
    'vision_model/embeddings/position_embedding/weight': named(vision, /^embedding$/),
  });
  const [ids, mask] = [int64(TEXTS.ids, [2, 9]), int64(TEXTS.mask, [2, 9])];
  const got = await runGraph(withOutputs(own, ['text_embeds', 'image_embeds']), {
    ...{ input_ids: ids, attention_mask: mask, pixel_values: images(16) },
  });
  const end = (of: Graph) =>
    of.nodes.filter(({ opType }) => opType === 'Gemm' || opType === 'MatMul').at(-1)?.outputs[0]?.name ?? '';
  const texts = await runGraph(withOutputs(text, [end(text)]), { input_0: ids, input_1: mask });
  const pictures = await runGraph(withOutputs(vision, [end(vision)]), { input_0: images(16) });
  for (const [name, other] of [
    ['text_embeds', texts[end(text)]],
    ['image_embeds', pictures[end(vision)]],
  ] as const) {
    const values = toNumbers(other as Tensor);
    const unit = values.map((value, i) => {
      const row = values.slice(8 * Math.floor(i / 8), 8 * Math.floor(i / 8) + 8);
      return value / Math.hypot(...row);
    });
    expect(difference(got[name] as Tensor, float32(unit)), name).toBeLessThan(2e-6);
  }
});
