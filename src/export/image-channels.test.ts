import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { imageChannels, withColourInput, withGreyInput } from './image-channels.ts';

const SIDE = 6;
const PLANE = SIDE * SIDE;
const grey = toEvaluationForm(
  buildClassifier(resnet, resnet.options.parse({ width: 4, stages: 1, blocks: 1 }), {
    channels: 1,
    height: SIDE,
    width: SIDE,
    classes: 3,
    random: randomStream(1, 'grey'),
  }).graph,
);
const random = randomStream(2, 'pixels');
const pixels = Float32Array.from({ length: 2 * PLANE }, () => random.normal());

async function logits(graph: Graph, data: Float32Array): Promise<number[]> {
  const session = await createNodeEngine().load(writeModel(graph));
  try {
    const channels = imageChannels(graph) as number;
    const feed = tensor('float32', [data.length / channels / PLANE, channels, SIDE, SIDE], data);
    return Array.from((await session.run({ pixel_values: feed })).logits.data as Float32Array);
  } finally {
    await session.release();
  }
}

/** [B, 1, H, W] three times, each channel changed. */
function inColour(change: (value: number, channel: number) => number): Float32Array {
  const rows = [pixels.subarray(0, PLANE), pixels.subarray(PLANE)];
  return Float32Array.from(
    rows.flatMap((row) => [0, 1, 2].flatMap((channel) => Array.from(row, (value) => change(value, channel)))),
  );
}

it('answers a grey image in three channels as the model of grey images, to the last bit', async () => {
  const colour = withColourInput(grey);
  expect(imageChannels(colour)).toBe(3);
  expect(
    await logits(
      colour,
      inColour((value) => value),
    ),
  ).toEqual(await logits(grey, pixels));
});

it('makes the grey of a colour image as PIL does', async () => {
  const found = await logits(
    withColourInput(grey),
    inColour((value, channel) => value + channel),
  );
  // 0.587 of one more, 0.114 of two more.
  const expected = await logits(
    grey,
    pixels.map((value) => value + 0.587 + 2 * 0.114),
  );
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 4);
  });
});

it('gives a model of colour images the same grey image three times', async () => {
  const again = withGreyInput(withColourInput(grey));
  expect(imageChannels(again)).toBe(1);
  expect(await logits(again, pixels)).toEqual(await logits(grey, pixels));
});

it('keeps the name and the outputs of the model', () => {
  const { outputs, inputs } = withColourInput(grey);
  expect(outputs.map(({ name }: { name: string }) => name)).toEqual(['logits']);
  expect((inputs[0] as { type?: Tensor['type'] }).type).toBe('float32');
});
