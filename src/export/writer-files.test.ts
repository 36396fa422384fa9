import { describe, expect, it } from 'vitest';
import { toHalfPrecision } from '../compress/half-precision.ts';
import { createNodeEngine } from '../engine/node.ts';
import { writingSession } from '../generate/writing-session.ts';
import type { Graph } from '../onnx/graph.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildStudent } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { openHead } from '../targets/head.ts';
import { findTarget } from '../targets/index.ts';
import type { AnyTarget } from '../targets/target.ts';
import { writerFacts } from '../targets/writer-facts.ts';
import { joinWriter, splitWriter } from './writer-files.ts';

const engine = createNodeEngine({ threads: 1 });
const LENGTH = 6;
const words = ['a', 'bag', 'boot', 'and'];

function threeHeads(): Graph {
  const head = (output: string, kind: string, space: unknown, options: Record<string, unknown>) => {
    const target = findTarget(kind) as AnyTarget;
    const labels = output === 'classes' ? 'labels' : `labels/${output}`;
    return openHead({ output, target, options: target.options.parse(options), space, labels });
  };
  const { graph } = buildStudent({
    backbone: resnet,
    options: resnet.options.parse({ width: 4, stages: 1, blocks: 1 }),
    inputs: { channels: 1, height: 8, width: 8 },
    heads: [
      head('classes', 'classes', { names: ['bag', 'boot'] }, {}),
      head('sentence', 'sentence', { words, length: LENGTH }, { width: 8, heads: 2, layers: 2 }),
    ],
    random: randomStream(1, 'student'),
  });
  return toEvaluationForm(graph);
}

const image = float32(
  Float32Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i / 7)),
  [3, 1, 8, 8],
);
const before = int64([2, 4, 5, 7, 4, 6, 2, 6, 0, 0, 0, 0, 2, 5, 5, 5, 5, 5], [3, LENGTH]);

async function answers(graph: Graph): Promise<Record<string, Tensor>> {
  const session = await engine.load(writeModel(graph));
  const facts = writerFacts(graph)!;
  return session.run({ pixel_values: image, [facts.input]: before });
}

async function partsOf(graph: Graph) {
  const { encoder, decoder } = splitWriter(graph)!;
  const [looks, writes] = [await engine.load(writeModel(encoder)), await engine.load(writeModel(decoder))];
  return writingSession(looks, writes, writerFacts(graph)!);
}

function near(found: Tensor | undefined, expected: Tensor | undefined): void {
  expect(found!.dims).toEqual(expected!.dims);
  const own = found!.data as Float32Array;
  (expected!.data as Float32Array).forEach((value, i) => {
    expect(own[i]).toBeCloseTo(value, 4);
  });
}

describe('a model that writes, in two files', () => {
  it('answers as the whole, and writes the likeliest word after those that it wrote', async () => {
    const whole = threeHeads();
    const session = await partsOf(whole);
    expect(session.inputNames).toEqual(['pixel_values', 'labels/sentence/words']);
    const expected = await answers(whole);
    const feeds = { pixel_values: image, 'labels/sentence/words': before };
    const told = await session.run(feeds, { classes: null, sentence: null, 'sentence/written': null });
    near(told.classes, expected.classes);
    near(told.sentence, expected.sentence);

    // Word by word with a past is as the whole at once: what is written is the likeliest in the whole, read again.
    const written = told['sentence/written']!.data as Int32Array;
    const again = Array.from({ length: 3 * LENGTH }, (_, i) => (i % LENGTH === 0 ? 2 : written[i - 1]!));
    const reread = await (await engine.load(writeModel(whole))).run({
      pixel_values: image,
      'labels/sentence/words': int64(
        again.map((word) => (word === 3 ? 0 : word)),
        [3, LENGTH],
      ),
    });
    const logits = reread.sentence!.data as Float32Array;
    let compared = 0;
    written.forEach((word, i) => {
      if (word === 0) return;
      const own = [...logits.subarray(i * 8, (i + 1) * 8)];
      expect(own[word]).toBeCloseTo(Math.max(...own.slice(3)), 4);
      compared++;
    });
    expect(compared).toBeGreaterThan(3);
    // As people call it: with the image alone.
    const alone = await session.run({ pixel_values: image });
    expect(Object.keys(alone).sort()).toEqual(['classes', 'sentence/written']);
    expect(alone['sentence/written']!.data).toEqual(written);
  });

  it('is refused in float16, which has none of the places where it is taken apart', () => {
    const whole = threeHeads();
    const values = whole.nodes.flatMap((node) => node.outputs.flatMap((value) => value ?? []));
    const largest = new Map(values.map(({ name }) => [name, 1]));
    expect(() => splitWriter(toHalfPrecision(whole, { largest }))).toThrow(/no keys and values of words/);
  });

  it('is whole again for a teacher, and can be taken apart again', async () => {
    const whole = threeHeads();
    const parts = splitWriter(whole)!;
    const facts = { ...writerFacts(whole)!, output: 'said', input: 'labels/words' };
    const joined = joinWriter(parts, { ...facts, facts });
    expect(joined.inputs.map(({ name }) => name)).toEqual(['pixel_values', 'labels/words']);
    const expected = await answers(whole);
    near((await answers(joined)).said, expected.sentence);
    const again = await partsOf(joined);
    const told = await again.run({ pixel_values: image, 'labels/words': before });
    const first = await (await partsOf(whole)).run({ pixel_values: image });
    expect(told['said/written']!.data).toEqual(first['sentence/written']!.data);
  });
});
