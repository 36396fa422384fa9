import { expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { KeptForm } from './kept-form.ts';
import { PLACES, sortedProbabilities, spanLikelihoods } from './placed-forms.ts';

const VOCABULARY = 5;
const logits = Array.from({ length: 4 * VOCABULARY }, (_, i) => Math.fround(1.5 * Math.sin(1 + 2.3 * i)));
const ids = [3, 1, 4, 0];
/** Three tokens of the student: the second ends in the middle of the teacher's third, the last is the end. */
const places = [
  [0, 1, 0, 0],
  [-1, 0, 0, 0],
  [3, 0, 0, 2],
];

async function kept(form: KeptForm): Promise<number[]> {
  const g = new GraphBuilder();
  const told = g.input('logits', 'float32', ['batch', 'sequence', VOCABULARY]);
  const read = g.input('ids', 'int64', ['batch', 'sequence']);
  const at = g.input('places', 'int64', ['batch', 'answered', PLACES]);
  g.output(form.build(g, told, read, undefined, at), 'kept');
  const session = await createNodeEngine({ threads: 1 }).load(writeModel(g.build('kept')));
  const feeds = {
    logits: float32(logits, [1, 4, VOCABULARY]),
    ids: int64(ids, [1, 4]),
    places: int64(places.flat(), [1, 3, PLACES]),
  };
  const found = await session.run(feeds, { kept: null });
  await session.release();
  expect(found.kept?.dims).toEqual([1, 3, form.width]);
  return Array.from((found.kept?.data ?? []) as Float32Array);
}

const softmax = (token: number) => {
  const powers = logits.slice(token * VOCABULARY, (token + 1) * VOCABULARY).map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
};

test.each([3, 7])(
  'of %i probabilities in order those are kept of places where something comes next',
  async (k) => {
    const found = await kept(sortedProbabilities(k));
    const sorted = [...softmax(0).sort((a, b) => b - a), 0, 0].slice(0, k);
    const expected = [...sorted, ...new Array(2 * k).fill(0)];
    expected.forEach((probability, i) => {
      expect(found[i]).toBeCloseTo(probability, 6);
    });
  },
);

test('of a span its tokens of the student are kept, and the likelihood that the teacher gives to its own', async () => {
  const found = await kept(spanLikelihoods());
  const likelihood = [0, 1, 2].reduce(
    (sum, token) => sum + Math.log(softmax(token)[ids[token + 1] as number] as number),
    0,
  );
  expect(found.slice(0, 5)).toEqual([0, 0, 0, 0, 2]);
  expect(found[5]).toBeCloseTo(likelihood, 5);
});
