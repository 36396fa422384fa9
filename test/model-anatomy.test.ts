import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { prepareForGradients } from '../src/autodiff/prepare.ts';
import type { ModelAnatomy } from '../src/onnx/anatomy/anatomy.ts';
import { describeModel } from '../src/onnx/anatomy/describe-model.ts';
import { findValue } from '../src/onnx/graph.ts';
import { readModel } from '../src/onnx/read-model.ts';

// The models that PyTorch exported have the layers that their architectures have (scripts/pytorch-cases/models.py).

const FOLDER = join(import.meta.dirname, 'pytorch-gradients', 'cases');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.onnx.gz'));

const described = files.map((file) => {
  const model = readModel(gunzipSync(readFileSync(join(FOLDER, file))), { title: file });
  const graph = prepareForGradients(model);
  return { file, architecture: file.split('.')[0]!, model, graph, anatomy: describeModel(graph) };
});

/** Layers of two heads, 16 wide, in every transformer of the cases. */
const TRANSFORMERS = [
  'albert',
  'bert',
  'clip-text',
  'clip-vision',
  'distilbert',
  'gpt2',
  'llama',
  'roberta',
  't5-encoder',
  'vit',
  'whisper-encoder',
];
/** The sizes (channels x height x width) at the end of each stage, and the number of blocks in it. */
const NETWORKS: Record<string, [size: string, blocks: number][]> = {
  convnext: [
    ['8x8x8', 1],
    ['16x4x4', 1],
    ['32x2x2', 1],
  ],
  resnet: [
    ['8x8x8', 1],
    ['16x4x4', 2],
    ['32x2x2', 1],
  ],
  'mobilenet-v3': [
    ['8x16x16', 1],
    ['8x8x8', 2],
    ['16x4x4', 5],
    ['32x2x2', 3],
  ],
  shufflenet: [
    ['48x8x8', 4],
    ['96x4x4', 8],
    ['192x2x2', 4],
  ],
};

function stagesOf({ layers }: ModelAnatomy): [string, number][] {
  const stages: [string, number][] = [];
  let blocks = 0;
  for (const { features } of layers) {
    blocks += 1;
    if (!features?.endsStage) continue;
    stages.push([`${features.channels}x${features.height}x${features.width}`, blocks]);
    blocks = 0;
  }
  return stages;
}

const of = (...architectures: string[]) =>
  described.filter(({ architecture }) => architectures.includes(architecture));

it('has both exporters', () => {
  expect(of(...TRANSFORMERS).length).toBeGreaterThanOrEqual(21);
});

it.each(of(...TRANSFORMERS))('$file has its layers, heads and widths', ({ anatomy, graph }) => {
  expect(anatomy.family).toBe('transformer');
  expect(
    anatomy.layers.map(({ name, hidden, attention }) => [name, hidden?.width, attention?.heads]),
  ).toEqual([
    ['layer_0', 16, 2],
    ['layer_1', 16, 2],
  ]);
  for (const { attention } of anatomy.layers) expect(findValue(graph, attention!.values!)).toBeDefined();
});

it.each(of(...Object.keys(NETWORKS)))('$file has its stages and blocks', ({ anatomy, architecture }) => {
  expect(anatomy.family).toBe('convolutional');
  expect(stagesOf(anatomy)).toEqual(NETWORKS[architecture]);
});

it.each(of('bert', 'albert', 'gpt2'))('$file has the embeddings of its tokens', ({ anatomy, graph }) => {
  const gather = graph.nodes.find(({ outputs }) => outputs[0]?.name === anatomy.features);
  expect(gather?.inputs[0]?.name).toMatch(/word_embeddings|wte/);
});

it.each(of('vit', 'resnet', 'clip-vision'))('$file has its pixels', ({ anatomy, model }) => {
  expect(anatomy.features).toBe(model.inputs[0]?.name);
});

describe('every name', () => {
  it.each(described)('of $file is a value of the graph that taps are made of', ({ anatomy, graph }) => {
    const names = anatomy.layers.flatMap(({ attention, hidden, features }) => [
      attention?.probabilities,
      attention?.values,
      hidden?.name,
      features?.name,
    ]);
    for (const name of [...names, anatomy.features, anatomy.logits]) {
      if (name !== undefined) expect(findValue(graph, name), name).toBeDefined();
    }
  });

  it.each(described)('of $file is there as it was read, too', ({ model }) => {
    expect(() => describeModel(model)).not.toThrow();
  });
});
