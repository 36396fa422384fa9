import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { randomStream } from '../../random.ts';
import { buildSileroVad, SILERO } from './encoder.ts';
import { readSileroWeights, sileroFile } from './package-files.ts';

const FRAMES = 12;
const ROWS = 2;
const SAMPLES = FRAMES * SILERO.frame;
const engine = createNodeEngine();

/** A buzz with the pitch of a voice that comes and goes, in noise. */
function sounds(): Float32Array {
  const random = randomStream(1, 'sounds');
  return Float32Array.from({ length: ROWS * SAMPLES }, (_, i) => {
    const t = (i % SAMPLES) / SILERO.rate;
    const voiced = Math.sin(2 * Math.PI * 3 * t) > 0 ? 0.3 : 0;
    const buzz = [1, 2, 3, 4, 5].reduce((sum, k) => sum + Math.sin(2 * Math.PI * 130 * k * t) / k, 0);
    return voiced * buzz + 0.01 * random.normal();
  });
}

/** What the package's model says of each frame, its state and the samples before carried on: [rows, frames]. */
async function byFrames(waveforms: Float32Array): Promise<Float32Array> {
  const session = await engine.load(sileroFile());
  const answers = new Float32Array(ROWS * FRAMES);
  const length = SILERO.context + SILERO.frame;
  let state = tensor('float32', [2, ROWS, 128], new Float32Array(2 * ROWS * 128));
  const sr: Tensor = { type: 'int64', dims: [], data: BigInt64Array.of(BigInt(SILERO.rate)) };
  for (let f = 0; f < FRAMES; f++) {
    const input = new Float32Array(ROWS * length);
    for (let row = 0; row < ROWS; row++) {
      for (let i = 0; i < length; i++) {
        const place = f * SILERO.frame - SILERO.context + i;
        input[row * length + i] = place < 0 ? 0 : (waveforms[row * SAMPLES + place] as number);
      }
    }
    const result = await session.run({ input: tensor('float32', [ROWS, length], input), state, sr });
    state = result.stateN as typeof state;
    for (let row = 0; row < ROWS; row++)
      answers[row * FRAMES + f] = (result.output as Tensor).data[row] as number;
  }
  await session.release();
  return answers;
}

it('says of whole windows what the package says frame by frame', async () => {
  const waveforms = sounds();
  const model = buildSileroVad(readSileroWeights(sileroFile()), SAMPLES);
  const session = await engine.load(writeModel(model));
  const { logits } = await session.run({ input_values: tensor('float32', [ROWS, SAMPLES], waveforms) });
  await session.release();
  expect(logits?.dims).toEqual([ROWS, FRAMES, 2]);
  const expected = await byFrames(waveforms);
  const data = logits?.data as Float32Array;
  const own = expected.map(
    (_, i) => 1 / (1 + Math.exp((data[2 * i] as number) - (data[2 * i + 1] as number))),
  );
  own.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 4);
  });
  // Not only one answer to everything.
  expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.05);
});
