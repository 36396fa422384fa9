import { collectRanges } from '../src/compress/calibrate.ts';
import { quantizeStatic, valuesToCalibrate } from '../src/compress/quantize-static.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { float32 } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { shippedForm } from '../src/run/shipping/shipped-form.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { mobilenetV3 } from '../src/students/mobilenet-v3.ts';
import { resnet } from '../src/students/resnet.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

// What int8 convolutions cost and save: random weights, images of 28 x 28, docs/measurements-int8.md.
// npx tsx scripts/measure-int8-convolutions.ts

const engine = createNodeEngine();
const stream = randomStream(1, 'images');
const images = (count: number) =>
  float32(
    Float32Array.from({ length: count * 784 }, () => 2 * stream.uniform() - 1),
    [count, 1, 28, 28],
  );
const size = () => ({ channels: 1, height: 28, width: 28, classes: 10, random: randomStream(2, 'student') });
const residual = (width: number, blocks: number) =>
  buildClassifier(resnet, { width, stages: 3, blocks, bottleneck: false, zeroInit: false }, size());
const models = {
  'resnet, width 24, 3 blocks': residual(24, 3),
  'resnet, width 8, 1 block': residual(8, 1),
  'mobilenet-v3 (default)': buildClassifier(mobilenetV3, mobilenetV3.options.parse({}), size()),
};

async function milliseconds(model: Graph, batch: number): Promise<number> {
  const session = await engine.load(writeModel(model));
  const feeds = { pixel_values: images(batch) };
  const times: number[] = [];
  for (let round = 0; round < (batch === 1 ? 300 : 20); round++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  await session.release();
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

console.log('| | kB, f32 and int8 | 1 image, ms | 32 images | 128 images |\n|---|---|---|---|---|');
for (const [name, student] of Object.entries(models)) {
  const model = shippedForm({ student });
  const calibration = [{ pixel_values: images(64) }, { pixel_values: images(64) }];
  const small = quantizeStatic(
    model,
    await collectRanges(model, valuesToCalibrate(model), engine, calibration),
  );
  const kilobytes = [model, small].map((graph) => Math.round(writeModel(graph).length / 1000));
  const cells: string[] = [];
  for (const batch of [1, 32, 128]) {
    const [before, after] = [await milliseconds(model, batch), await milliseconds(small, batch)];
    cells.push(`${before.toFixed(2)} → ${after.toFixed(2)} (${(before / after).toFixed(2)}x)`);
  }
  console.log(`| ${name} | ${kilobytes.join(' → ')} | ${cells.join(' | ')} |`);
}
