import { describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { quantizeDynamic } from '../compress/quantize-dynamic.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from './build-student.ts';
import type { Student } from './student.ts';
import { textNgrams } from './text-ngrams.ts';

const VOCABULARY = 60;
const TEXTS = [[3, 4, 5], [1, 2, 3, 4, 5, 6, 8], [9], [3, 4, 3, 4]];
const CONVOLUTION = { embedding: 4, width: 6 };

function build(options: Record<string, unknown> = {}, vocabularySize = VOCABULARY): Student {
  return buildClassifier(textNgrams, textNgrams.options.parse(options), {
    vocabularySize,
    classes: 3,
    maxLength: 12,
    random: randomStream(1, 'n-grams'),
    trainingTexts: TEXTS,
  });
}

function tokens(rows: readonly (readonly number[])[]): Record<string, Tensor> {
  const length = Math.max(...rows.map((row) => row.length));
  const filled = (of: (row: readonly number[]) => number[]) =>
    int64(
      rows.flatMap((row) => [...of(row), ...new Array<number>(length - row.length).fill(0)]),
      [rows.length, length],
    );
  return { input_ids: filled((row) => [...row]), attention_mask: filled((row) => row.map(() => 1)) };
}

describe('text-ngrams', () => {
  it.each([{ width: 0 }, { width: 5 }, { width: 0, convolution: CONVOLUTION }])(
    'has the gradients that differences have: %j',
    async (options) => {
      const student = build({ longest: 3, buckets: 40, ...options });
      const feeds = tokens(TEXTS);
      const [rows, length] = feeds.input_ids!.dims as [number, number];
      const g = new GraphBuilder();
      const bound = new Map<string, TypedValue>();
      for (const { name } of student.graph.inputs) bound.set(name, g.input(name, 'int64', [rows, length]));
      const contents = new Map(
        [...student.graph.initializers].map(([value, content]) => [value.name, content]),
      );
      for (const name of student.parameters)
        bound.set(name, g.input(name, 'float32', contents.get(name)!.dims as number[]));
      const values = g.inline(student.graph, bound);
      // A loss that is not linear in the logits, so that every one of them has a slope of its own.
      const loss = g.reduceSum(g.square(g.add(values.get('logits') as TypedValue, 1)), { keepDims: false });
      g.output(loss, 'loss');
      const found = gradients(
        g,
        loss,
        student.parameters.map((name) => bound.get(name) as TypedValue),
      );
      found.forEach((gradient, i) => {
        g.output(gradient as TypedValue, `gradient/${i}`);
      });
      const session = await createNodeEngine().load(writeModel(g.build()));
      const random = randomStream(2, 'directions');
      const parameters = Object.fromEntries(
        student.parameters.map((name) => {
          const content = contents.get(name) as Tensor;
          return [
            name,
            {
              ...content,
              data: Float32Array.from(content.data as Float32Array, (v) => Number(v) + 0.1 * random.normal()),
            },
          ];
        }),
      );
      const results = await session.run({ ...feeds, ...parameters });
      for (const [i, name] of student.parameters.entries()) {
        const content = parameters[name] as Tensor;
        const direction = Float32Array.from(content.data as Float32Array, () => random.normal());
        const lossAt = async (step: number) => {
          const data = Float32Array.from(
            content.data as Float32Array,
            (v, at) => Number(v) + step * (direction[at] as number),
          );
          return Number(
            (await session.run({ ...feeds, ...parameters, [name]: { ...content, data } })).loss.data[0],
          );
        };
        const difference = ((await lossAt(1e-3)) - (await lossAt(-1e-3))) / 2e-3;
        const slope = Array.from(results[`gradient/${i}`].data as Float32Array).reduce(
          (sum, value, at) => sum + value * (direction[at] as number),
          0,
        );
        expect(Math.abs(slope - difference) / Math.max(1, Math.abs(slope)), name).toBeLessThan(0.02);
        expect(Math.abs(slope), name).toBeGreaterThan(0);
      }
      await session.release();
    },
    20_000,
  );

  it('gives a text the same weight whatever its length: a repeated text answers alike', async () => {
    const student = build({ longest: 1, width: 0 });
    const table = [...student.graph.initializers].find(
      ([{ name }]) => name === 'ngrams/embedding/weight',
    )![1];
    (table.data as Float32Array).set(Array.from({ length: 3 * VOCABULARY }, (_, i) => Math.sin(i)));
    const session = await createNodeEngine().load(writeModel(student.graph));
    const { logits } = await session.run(tokens([[5], [5, 9]]));
    await session.release();
    // One token: its own numbers, ten times; two with idf weights a and b: (a x + b y) / sqrt(a^2 + b^2).
    for (let i = 0; i < 3; i++) expect(logits.data[i]).toBeCloseTo(10 * Math.sin(15 + i), 4);
    const [a, b] = [Math.log(5 / 3) + 1, Math.log(5 / 2) + 1];
    for (let i = 0; i < 3; i++) {
      const expected = (10 * (a * Math.sin(15 + i) + b * Math.sin(27 + i))) / Math.hypot(a, b);
      // The weights have 8 bits.
      expect(Math.abs(Number(logits.data[3 + i]) - expected)).toBeLessThan(0.05);
    }
  });

  it('takes a byte for each number of its tables in int8, and two more for each row', () => {
    const options = { buckets: 4000, width: 0, convolution: { embedding: 16, width: 8 } };
    const student = build(options, 2000);
    const float = writeModel(student.graph).length;
    const int8 = writeModel(quantizeDynamic(student.graph)).length;
    const numbers = 6000 * 3 + 2000 * 16;
    expect(float).toBeGreaterThan(4 * numbers);
    // A scale of 4 bytes for each row of both tables, a byte for each feature's weight, and the graph.
    expect(int8).toBeLessThan(numbers + 4 * 8000 + 6000 + 12_000);
  });
});
