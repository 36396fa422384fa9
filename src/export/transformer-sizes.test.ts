import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutoConfig, pipeline, RawImage } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { temporaryFolders } from '../data/testing/temporary-folder.ts';
import type { Graph } from '../onnx/graph.ts';
import { float32 } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from '../students/backbone.ts';
import { bert } from '../students/bert.ts';
import { buildClassifier } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { vit } from '../students/vit.ts';
import { idsOf } from '../targets/class-ids.ts';
import { classes } from '../targets/classes.ts';
import { embedding } from '../targets/embedding.ts';
import { openHead } from '../targets/index.ts';
import type { AnyTarget } from '../targets/target.ts';
import { answerConfig } from './answer-config.ts';
import { writeImageClassifier } from './image-classifier.ts';
import { textArchitecture } from './text-architectures.ts';

const newFolder = temporaryFolders();

test('transformers.js runs a vision transformer as its own class, with the same answers', async () => {
  const folder = join(await newFolder(), 'student');
  const { graph } = buildClassifier(vit, vit.options.parse({ width: 12, heads: 3, layers: 2, patch: 8 }), {
    ...{ channels: 3, height: 16, width: 16, classes: 3, random: randomStream(1, 'vit') },
  });
  writeImageClassifier(folder, {
    ...{
      model: graph,
      quantized: null,
      architecture: 'vit',
      answer: idsOf(['a', 'b', 'c']),
      dims: [3, 16, 16],
    },
    normalization: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  });
  expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toMatchObject({
    ...{ model_type: 'vit', architectures: ['ViTForImageClassification'], image_size: 16, patch_size: 8 },
    ...{ hidden_size: 12, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 48 },
  });
  const pixels = Uint8ClampedArray.from({ length: 768 }, (_, i) => (i * 37) % 256);
  const planes = Array.from(
    { length: 768 },
    (_, i) => (pixels[3 * (i % 256) + Math.floor(i / 256)] as number) / 255,
  );
  const { logits } = await runGraph(graph, { pixel_values: float32(planes, [1, 3, 16, 16]) });
  const classify = await pipeline('image-classification', folder, { dtype: 'fp32', local_files_only: true });
  expect(classify.model.constructor.name).toBe('ViTForImageClassification');
  const answers = (await classify(new RawImage(pixels, 16, 16, 3), { top_k: 3 })) as {
    label: string;
    score: number;
  }[];
  await classify.dispose();
  const exps = Array.from(logits?.data as Float32Array, Math.exp);
  const total = exps.reduce((sum, value) => sum + value, 0);
  for (const { label, score } of answers)
    expect(score).toBeCloseTo((exps['abc'.indexOf(label)] as number) / total, 5);
});

test('a network of images that was given leaves with the sizes of its graph, whatever its values are called', async () => {
  const folder = join(await newFolder(), 'student');
  const written = async (backbone: Backbone, options: object) => {
    const { graph } = buildClassifier(backbone, backbone.options.parse(options), {
      ...{ channels: 3, height: 16, width: 16, classes: 3, random: randomStream(1, 'student') },
    });
    writeImageClassifier(folder, {
      ...{ model: renamed(graph), quantized: null, architecture: 'cut', answer: idsOf(['a', 'b', 'c']) },
      ...{ dims: [3, 16, 16], normalization: { mean: [0, 0, 0], deviation: [1, 1, 1] } },
    });
    return AutoConfig.from_pretrained(folder, { local_files_only: true }) as Promise<object>;
  };
  expect(await written(vit, { width: 12, heads: 3, layers: 2, patch: 8, feedForward: 20 })).toMatchObject({
    ...{ model_type: 'vit', architectures: ['ViTForImageClassification'], image_size: 16, patch_size: 8 },
    ...{ hidden_size: 12, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 20 },
    hidden_act: 'gelu',
  });
  expect(await written(resnet, { width: 4, stages: 2, blocks: 3 })).toMatchObject({
    ...{ model_type: 'resnet', embedding_size: 4, hidden_sizes: [4, 8], depths: [3, 3] },
  });
});

test('a text student without a class of its own leaves with the sizes of its graph', () => {
  const { graph } = buildClassifier(
    bert,
    bert.options.parse({ width: 12, heads: 3, layers: 2, feedForward: 20 }),
    {
      ...{ vocabularySize: 30, maxLength: 16, classes: 3, random: randomStream(1, 'student') },
    },
  );
  expect(textArchitecture('cut', renamed(graph), 'ForSequenceClassification')).toEqual({
    model_type: 'distilbert',
    architectures: ['DistilBertForSequenceClassification'],
    ...{ dim: 12, n_layers: 2, n_heads: 3, hidden_dim: 20 },
  });
});

/** The graph with names that say nothing. */
function renamed(graph: Graph): Graph {
  let count = 0;
  const [inputs, outputs] = [new Set(graph.inputs), new Set(graph.outputs)];
  for (const value of [...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)])
    if (value && !inputs.has(value) && !outputs.has(value)) Object.assign(value, { name: `v${count++}` });
  return graph;
}

test('what the main output of an image student is told of depends on its target', async () => {
  const folder = join(await newFolder(), 'student');
  const { graph } = buildClassifier(vit, vit.options.parse({ width: 8, heads: 2, layers: 1, patch: 8 }), {
    ...{ channels: 3, height: 16, width: 8, classes: 2, random: randomStream(1, 'vit') },
  });
  const written = (target: AnyTarget, space: object, options: Record<string, unknown>) => {
    const head = openHead({ output: 'logits', target, space, options, labels: 'labels' });
    writeImageClassifier(folder, {
      ...{ model: graph, quantized: null, architecture: 'vit', dims: [3, 16, 8] },
      ...answerConfig([head]),
      normalization: { mean: [0, 0, 0], deviation: [1, 1, 1] },
    });
    return JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  };
  expect(written(classes as unknown as AnyTarget, { names: ['a', 'b'] }, {})).toMatchObject({
    ...{ problem_type: 'multi_label_classification', id2label: { 0: 'a', 1: 'b' }, label2id: { a: 0, b: 1 } },
    ...{ num_labels: 2, image_size: [16, 8] },
  });
  const vector = written(embedding as unknown as AnyTarget, { width: 2 }, { normalize: true });
  expect(vector.id2label).toBeUndefined();
  expect(vector.limbeck.outputs).toEqual({ logits: { target: 'embedding', embedding_size: 2 } });
});
