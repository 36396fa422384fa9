import { describe, expect, it } from 'vitest';
import { quantizeDynamic } from '../compress/quantize-dynamic.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { linearHead } from '../targets/linear-head.ts';
import { audioConv } from './audio-conv.ts';
import { buildStudent } from './build-student.ts';
import type { Student } from './student.ts';

const RATE = 8000;
const CLASSES = 4;
const engine = createNodeEngine();

function build(options: Record<string, unknown> = {}, samples?: number): Student {
  return buildStudent({
    backbone: audioConv,
    options: audioConv.options.parse({ width: 16, blocks: 2, ...options }),
    inputs: { samplingRate: RATE, ...(samples !== undefined && { samples }) },
    heads: [
      linearHead(CLASSES),
      {
        output: 'frames',
        features: 'tokens',
        attach: (_g, _make, features) => features.project('frames', 2),
      },
    ],
    random: randomStream(1, 'student'),
  });
}

/** Noise that swells and fades, in so many samples. */
function sound(samples: number, seed: number): Float32Array {
  const random = randomStream(seed, 'sound');
  return Float32Array.from({ length: samples }, (_, i) => 0.1 * Math.sin(i / 900) * random.normal());
}

async function answers(graph: Graph, waveforms: readonly Float32Array[]) {
  const samples = waveforms[0]?.length ?? 0;
  const all = new Float32Array(waveforms.length * samples);
  waveforms.forEach((waveform, i) => {
    all.set(waveform, i * samples);
  });
  const session = await engine.load(writeModel(graph));
  const { logits, frames } = await session.run({ input_values: float32(all, [waveforms.length, samples]) });
  await session.release();
  expect(logits?.dims).toEqual([waveforms.length, CLASSES]);
  return { logits: Array.from(logits?.data as Float32Array), frames: frames?.dims as readonly number[] };
}

const close = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

describe('audio-conv', () => {
  it.each([
    [{ hop: 0.1, window: 0.025 }, undefined, 'that begin every 800 leave samples out'],
    [{ hop: 0.00005 }, undefined, 'in less than one'],
    [{ hop: 0.02, window: 0.03 }, 100, 'has no frame'],
  ])('refuses frames that cannot be: %j', (options, samples, message) => {
    expect(() => build(options, samples)).toThrow(
      expect.objectContaining({
        code: 'recipe.invalid',
        where: 'student.hop',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('answers a clip alike alone and in a batch', async () => {
    const { graph } = build();
    const clips = [1, 2, 3].map((seed) => sound(4000, seed));
    const alone = await answers(graph, clips.slice(0, 1));
    const together = await answers(graph, clips);
    expect(close(alone.logits, together.logits)).toBeLessThan(1e-4);
  });

  it('takes clips of any length, and has a frame for every hop after its halvings', async () => {
    for (const [halvings, samples, frames] of [
      [1, 8192, 32],
      [2, 8192, 16],
      [2, 5000, 10],
      [0, 300, 2],
    ] as const)
      expect((await answers(build({ halvings }).graph, [sound(samples, 1)])).frames).toEqual([1, frames, 2]);
  });

  it('does not hear how loud a clip is, unless it is asked to', async () => {
    const clip = sound(4000, 1);
    const louder = clip.map((value) => 4 * value);
    for (const [level, differs] of [
      ['bands', false],
      ['clip', false],
      ['keep', true],
    ] as const) {
      const { graph } = build({ level });
      const [a, b] = [await answers(graph, [clip]), await answers(graph, [louder])];
      if (differs) expect(close(a.logits, b.logits)).toBeGreaterThan(0.01);
      else expect(close(a.logits, b.logits)).toBeLessThan(1e-3);
    }
  });

  it('answers nothing that is no number to silence', async () => {
    const { logits } = await answers(build().graph, [new Float32Array(4000)]);
    expect(logits.every(Number.isFinite)).toBe(true);
  });

  it('keeps its spectrogram in float32 when it is quantised', () => {
    const quantized = quantizeDynamic(build().graph);
    const inside = quantized.nodes.filter(({ name }) => name.startsWith('log_mel/'));
    expect(inside.filter(({ opType }) => opType === 'Conv' || opType === 'MatMul')).toHaveLength(2);
    expect(quantized.nodes.some(({ opType }) => opType === 'DynamicQuantizeMatMul')).toBe(true);
  });
});
