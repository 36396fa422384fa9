import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoModelForAudioFrameClassification, AutoProcessor, pipeline } from '@huggingface/transformers';
import { afterAll, expect, it } from 'vitest';
import { audio } from '../data/modalities/audio/audio.ts';
import { tone, wavFile } from '../data/modalities/audio/testing/wav-file.ts';
import { middleWindow } from '../data/modalities/audio/window.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { audioConv } from '../students/audio-conv.ts';
import { buildStudent } from '../students/build-student.ts';
import { idsOf } from '../targets/class-ids.ts';
import { linearHead } from '../targets/linear-head.ts';
import { writeAudioClassifier } from './audio-classifier.ts';
import { ownReader } from './own-reader.ts';

const RATE = 8000;
const SAMPLES = 4096;
const LABELS = ['yes', 'no', 'go'];
const root = mkdtempSync(join(tmpdir(), 'limbeck-audio-export-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function student(isByFrame: boolean): Graph {
  return buildStudent({
    backbone: audioConv,
    options: audioConv.options.parse({ width: 12, blocks: 2, level: 'keep' }),
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

it('the middle in the graph is that of the modality', () => {
  expect(middleWindow(Float32Array.of(1, 2, 3), 6)).toEqual(Float32Array.of(0, 1, 2, 3, 0, 0));
  expect(middleWindow(Float32Array.of(1, 2, 3, 4), 1)).toEqual(Float32Array.of(2));
});
