import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import {
  featureCount,
  featuresOf,
  inverseDocumentFrequencies,
  LONGEST_NGRAM,
  lookUpWeights,
  ngramFeatures,
} from './ngram-features.ts';

const SPACE = { vocabularySize: 250_002, longest: LONGEST_NGRAM, buckets: 10_007 };

/** Another derivation of the hash: whole numbers without limit. */
function hashOf(tokens: readonly number[]): number {
  const factors = [1640531527n, 805306457n, 1402024253n, 201326611n, 1879048201n];
  const sum = tokens.reduce(
    (all, id, k) => all + (BigInt(id) + 1n) * (factors[k] as bigint),
    BigInt(tokens.length),
  );
  return SPACE.vocabularySize + Number((sum % (2n ** 31n - 1n)) % BigInt(SPACE.buckets));
}

function expectedFeatures(ids: readonly number[]): number[] {
  const features = [...ids];
  for (let length = 2; length <= SPACE.longest; length++) {
    for (let at = 0; at + length <= ids.length; at++) features.push(hashOf(ids.slice(at, at + length)));
  }
  return features;
}

/** What the graph says of each row: the features that are there. */
async function inGraph(rows: readonly (readonly number[])[], length: number, side: 'left' | 'right') {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const { features, present } = ngramFeatures(g, { ids, attentionMask }, SPACE);
  g.output(features, 'features');
  g.output(present, 'present');
  const padded = (fill: number, of: (row: readonly number[]) => readonly number[]) =>
    rows.flatMap((row) => {
      const padding = new Array<number>(length - row.length).fill(fill);
      return side === 'left' ? [...padding, ...of(row)] : [...of(row), ...padding];
    });
  const session = await createNodeEngine().load(writeModel(g.build()));
  const result = await session.run({
    input_ids: int64(
      padded(3, (row) => row),
      [rows.length, length],
    ),
    attention_mask: int64(
      padded(0, (row) => row.map(() => 1)),
      [rows.length, length],
    ),
  });
  await session.release();
  const values = Array.from(result.features.data as BigInt64Array, Number);
  const width = values.length / rows.length;
  return rows.map((_, row) =>
    values.slice(row * width, (row + 1) * width).filter((_, i) => result.present.data[row * width + i] === 1),
  );
}

describe('n-gram features', () => {
  const random = randomStream(1, 'n-grams');
  const texts = [0, 1, 2, 3, 7, 12].map((tokens) =>
    // The largest ids among them, where products are largest.
    Array.from({ length: tokens }, (_, i) =>
      i % 3 === 0 ? SPACE.vocabularySize - 1 : random.integer(250_002),
    ),
  );

  it('are the same in the graph, in TypeScript and by whole numbers without limit', async () => {
    const found = await inGraph(texts, 12, 'right');
    texts.forEach((ids, i) => {
      expect(found[i]).toEqual(expectedFeatures(ids));
      expect(featuresOf(ids, SPACE)).toEqual(expectedFeatures(ids));
    });
  });

  it('do not depend on padding, on whichever side', async () => {
    const right = await inGraph(texts, 12, 'right');
    expect(await inGraph(texts, 15, 'left')).toEqual(right);
    expect(await inGraph(texts, 17, 'right')).toEqual(right);
  });

  it('spread pairs over the buckets', () => {
    const used = new Set<number>();
    for (let a = 0; a < 100; a++)
      for (let b = 0; b < 100; b++) used.add(featuresOf([a, b], SPACE)[2] as number);
    // 10,000 balls in 10,007 boxes leave 37 % empty by chance.
    expect(used.size).toBeGreaterThan(6000);
  });
});

describe('weights of features', () => {
  it('are larger for features of fewer texts, and count a text once', () => {
    const space = { vocabularySize: 4, longest: 1, buckets: 8 };
    const idf = inverseDocumentFrequencies([[1, 1, 2], [1], [1, 3]], space);
    expect(idf.length).toBe(featureCount(space));
    expect(idf[1]).toBeCloseTo(1);
    expect(idf[2]).toBeCloseTo(Math.log(4 / 2) + 1);
    expect(idf[0]).toBeCloseTo(Math.log(4) + 1);
  });

  it('are looked up to 8 bits', async () => {
    const weights = Float32Array.of(1, 2.5, 9.75, 4);
    const g = new GraphBuilder();
    g.output(lookUpWeights(g, weights, g.input('at', 'int64', [4])), 'weights');
    const session = await createNodeEngine().load(writeModel(g.build()));
    const result = await session.run({ at: int64([3, 2, 1, 0], [4]) });
    await session.release();
    [4, 9.75, 2.5, 1].forEach((weight, i) => {
      expect(Math.abs((result.weights.data[i] as number) - weight)).toBeLessThan(9.75 / 500);
    });
  });
});
