import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AutoModelForAudioClassification,
  AutoModelForAudioFrameClassification,
  AutoProcessor,
  pipeline,
} from '@huggingface/transformers';
import { afterAll, expect, it } from 'vitest';
import { audio } from '../data/modalities/audio/audio.ts';
import { tone, wavFile } from '../data/modalities/audio/testing/wav-file.ts';
import { middleWindow } from '../data/modalities/audio/window.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { float32, type Tensor, tensor, toNumbers } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { audioConv } from '../students/audio-conv.ts';
import type { Backbone } from '../students/backbone.ts';
import { buildStudent } from '../students/build-student.ts';
import { wav2vec2 } from '../students/wav2vec2.ts';
import { idsOf } from '../targets/class-ids.ts';
import { linearHead } from '../targets/linear-head.ts';
import { writeAudioClassifier } from './audio-classifier.ts';
import { ownReader } from './own-reader.ts';

const RATE = 8000;
const SAMPLES = 4096;
const LABELS = ['yes', 'no', 'go'];
const root = mkdtempSync(join(tmpdir(), 'limbeck-audio-export-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PREPROCESSOR = {
  ...{ feature_extractor_type: 'Wav2Vec2FeatureExtractor', feature_size: 1, sampling_rate: RATE },
  ...{ do_normalize: false, padding_value: 0, return_attention_mask: false },
};

function student(
  isByFrame: boolean,
  backbone: Backbone = audioConv as unknown as Backbone,
  options: Record<string, unknown> = { width: 12, blocks: 2, level: 'keep' },
): Graph {
  return buildStudent({
    backbone,
    options: backbone.options.parse(options),
    inputs: { samplingRate: RATE, samples: SAMPLES },
    heads: isByFrame
      ? [
          {
            output: 'logits',
            features: 'tokens',
            attach: (_g, _m, features) => features.project('classifier', 3),
          },
        ]
      : [linearHead(LABELS.length)],
    random: randomStream(3, 'student'),
  }).graph;
}

async function ship(name: string, options: Record<string, unknown>, isByFrame = false) {
  const processor = await audio.open(
    audio.options.parse({ rate: RATE, seconds: SAMPLES / RATE, ...options }),
    { input: 'audio', fields: ['audio'], maxLength: 0, buckets: [], resolvePath: (path) => path },
  );
  const model = student(isByFrame);
  const folder = join(root, name);
  const files = processor.files();
  const content = {
    model,
    quantized: null,
    architecture: 'audio-conv',
    answer: idsOf(LABELS),
    samples: SAMPLES,
  };
  writeAudioClassifier(folder, { ...content, isByFrame, files });
  /** What the student says of a clip as the modality prepares it for training. */
  const logits = async (clip: Float32Array): Promise<Float32Array> => {
    const { bytes } = await processor.encode({ bytes: wavFile(clip, { kind: 'float', bits: 32 }) });
    const values: Tensor = tensor('float32', [1, SAMPLES], new Float32Array(SAMPLES));
    processor.decode(bytes, { input_values: values }, 0, {});
    const session = await createNodeEngine().load(writeModel(model));
    const result = await session.run({ input_values: values });
    await session.release();
    return result.logits?.data as Float32Array;
  };
  return { folder, logits };
}

function probabilities(logits: Float32Array): Record<string, number> {
  const exponents = Array.from(logits, Math.exp);
  const sum = exponents.reduce((total, value) => total + value, 0);
  return Object.fromEntries(exponents.map((value, i) => [LABELS[i], value / sum]));
}

it.each([
  ['as it is', {}],
  ['normalised', { normalize: true }],
])('transformers.js hears audio of any length as the training does: %s', async (name, options) => {
  const { folder, logits } = await ship(name, options);
  const classify = await pipeline('audio-classification', folder, { dtype: 'fp32', local_files_only: true });
  // Normalised before it is cut there, after it here: the same for a clip of the window's length alone.
  const lengths = name === 'as it is' ? [SAMPLES, 1500, 9001] : [SAMPLES];
  for (const length of lengths) {
    const clip = tone(440, RATE, length / RATE);
    const answers = (await classify(clip, { top_k: 3 })) as { label: string; score: number }[];
    const expected = probabilities(await logits(clip));
    expect(answers).toHaveLength(3);
    for (const { label, score } of answers) expect(score).toBeCloseTo(expected[label] as number, 3);
  }
  await classify.dispose();

  const reader = await ownReader(createNodeEngine()).open({
    folder,
    task: 'audio-classification',
    precision: 'f32',
    threads: 1,
  });
  const clip = tone(440, RATE, SAMPLES / RATE);
  const [answer] = await reader.classify([{ waveform: clip }, { waveform: new Float32Array(SAMPLES) }]);
  expect(answer?.score).toBeCloseTo(Math.max(...Object.values(probabilities(await logits(clip)))), 3);
  await reader.close();
});

it('a class for each frame is read by the model of that task, for audio of any length', async () => {
  const { folder, logits } = await ship('frames', {}, true);
  const [processor, model] = await Promise.all([
    AutoProcessor.from_pretrained(folder, { local_files_only: true }),
    AutoModelForAudioFrameClassification.from_pretrained(folder, { dtype: 'fp32', local_files_only: true }),
  ]);
  const clip = tone(440, RATE, SAMPLES / RATE);
  const output = (await model(await processor(clip))) as { logits: { dims: number[]; data: Float32Array } };
  expect(output.logits.dims).toEqual([1, 8, 3]);
  const expected = await logits(clip);
  output.logits.data.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 2);
  });
  const longer = (await model(await processor(tone(440, RATE, 1.024)))) as typeof output;
  expect(longer.logits.dims).toEqual([1, 16, 3]);
  await model.dispose();
});

it.each([
  [false, 'Wav2Vec2ForSequenceClassification'],
  [true, 'Wav2Vec2ForAudioFrameClassification'],
])('a wav2vec2 leaves with its sizes (a class for each frame: %s)', async (isByFrame, name) => {
  const options = {
    ...{ width: 16, heads: 2, layers: 2, feedForward: 24, channels: 8, projection: 12 },
    ...{ kernels: [10, 8, 4], strides: [5, 8, 3], positions: 6, positionGroups: 4 },
  };
  const model = student(isByFrame, wav2vec2 as unknown as Backbone, options);
  const folder = join(root, name);
  writeAudioClassifier(folder, {
    ...{
      model,
      quantized: null,
      architecture: 'wav2vec2',
      answer: idsOf(LABELS),
      samples: SAMPLES,
      isByFrame,
    },
    files: { 'preprocessor_config.json': Buffer.from(JSON.stringify(PREPROCESSOR)) },
  });
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(config).toMatchObject({
    ...{ model_type: 'wav2vec2', architectures: [name], hidden_size: 16, num_hidden_layers: 2 },
    ...{ num_attention_heads: 2, intermediate_size: 24, conv_dim: [8, 8, 8], conv_kernel: [10, 8, 4] },
    ...{ conv_stride: [5, 8, 3], num_conv_pos_embeddings: 6, num_conv_pos_embedding_groups: 4 },
  });
  expect(config.classifier_proj_size).toBe(isByFrame ? undefined : 12);
  const loading = isByFrame ? AutoModelForAudioFrameClassification : AutoModelForAudioClassification;
  const [processor, loaded] = await Promise.all([
    AutoProcessor.from_pretrained(folder, { local_files_only: true }),
    loading.from_pretrained(folder, { dtype: 'fp32', local_files_only: true }),
  ]);
  expect(loaded.constructor.name).toBe(name);
  const clip = tone(440, RATE, SAMPLES / RATE);
  const answers = (await loaded(await processor(clip))) as { logits: { data: Float32Array } };
  await loaded.dispose();
  const { logits } = await runGraph(model, { input_values: float32([...clip], [1, SAMPLES]) });
  const expected = toNumbers(logits as Tensor);
  expect(answers.logits.data).toHaveLength(expected.length);
  answers.logits.data.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 5);
  });
});

it('the middle in the graph is that of the modality', () => {
  expect(middleWindow(Float32Array.of(1, 2, 3), 6)).toEqual(Float32Array.of(0, 1, 2, 3, 0, 0));
  expect(middleWindow(Float32Array.of(1, 2, 3, 4), 1)).toEqual(Float32Array.of(2));
});
