import { collectRanges } from '../src/compress/calibrate.ts';
import { quantizeStatic, valuesToCalibrate } from '../src/compress/quantize-static.ts';
import { subPixelConvolutions } from '../src/compress/sub-pixel-convolutions.ts';
import type { Session } from '../src/engine/engine.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { float32, type Tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

// What a transposed convolution costs in int8 in the form of a plain one: random weights, docs/measurements-int8.md.
// npx tsx scripts/measure-int8-transposed.ts

const TURNS = 40;
const engine = createNodeEngine({ threads: 1 });
const stream = randomStream(1, 'transposed');

function random(dims: readonly number[]): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, () => 2 * stream.uniform() - 1),
    dims,
  );
}

/** A convolution, one that doubles the sides of its map, and another one. */
function upwards(inputs: number, outputs: number, kernel: number): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', inputs, 14, 14]);
  const weights = (name: string, dims: readonly number[]) => g.initializer(name, random(dims));
  const pads = [1, 1, 1, 1];
  const first = g.relu(
    g.op('Conv', [x, weights('first', [inputs, inputs, 3, 3]), weights('first/b', [inputs])], { pads }),
  );
  const outer = Math.floor((kernel - 1) / 2);
  const up = {
    strides: [2, 2],
    pads: [outer, outer, outer, outer],
    output_padding: [kernel % 2, kernel % 2],
  };
  const parts = [first, weights('up', [inputs, outputs, kernel, kernel]), weights('up/b', [outputs])];
  const larger = g.relu(g.op('ConvTranspose', parts, up));
  g.output(
    g.op('Conv', [larger, weights('last', [8, outputs, 3, 3]), weights('last/b', [8])], { pads }),
    'y',
  );
  return g.build();
}

console.log('| | float32 | as a plain one | int8, the transposed one in float32 | int8, all |');
console.log('|---|---:|---:|---:|---:|');
for (const kernel of [2, 3, 4]) {
  const feeds = { x: random([8, 64, 14, 14]) };
  const model = upwards(64, 32, kernel);
  const forms = [model, subPixelConvolutions(model)];
  const sessions: Session[] = [];
  for (const form of forms) sessions.push(await engine.load(writeModel(form)));
  for (const form of forms) {
    const ranges = await collectRanges(form, valuesToCalibrate(form), engine, [feeds]);
    sessions.push(await engine.load(writeModel(quantizeStatic(form, ranges))));
  }
  const least = sessions.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, session] of sessions.entries()) {
      const start = performance.now();
      await session.run(feeds);
      least[i] = Math.min(least[i] as number, performance.now() - start);
    }
  }
  const cells = least.map((time) => time.toFixed(2)).join(' | ');
  console.log(`| kernel ${kernel}x${kernel} | ${cells} |`);
  for (const session of sessions) await session.release();
}
