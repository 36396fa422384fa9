import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../engine/engine.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { findValue, type Graph } from '../../onnx/graph.ts';
import { bindDims } from '../../onnx/passes/bind-dims.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { SENTENCE_EMBEDDING } from '../teacher-source.ts';
import { buildUseLiteEncoder, timingSignal } from './encoder.ts';
import { parameterSpecs, USE_LITE } from './parameters.ts';
import { feedsFor, largestDifference } from './testing/token-rows.ts';
import { readUseLiteWeights } from './weights.ts';

/**
 * Rows of 1 to 128 token ids and what the package's own tfjs graph makes of them, rounded to 7 digits: computed by
 * @tensorflow/tfjs-converter 4.22 (executeAsync on `indices` and `values`) on its plain JavaScript backend.
 */
const REFERENCE = JSON.parse(
  readFileSync(new URL('./testing/reference-embeddings.json', import.meta.url), 'utf8'),
) as { rows: { ids: number[]; embedding: number[] }[] };

const engine = createNodeEngine();
let graph: Graph;
let session: Session;

beforeAll(async () => {
  graph = buildUseLiteEncoder(await readUseLiteWeights());
  session = await engine.load(writeModel(graph));
}, 60_000);
afterAll(() => session.release());

async function embed(rows: number[][], length?: number, padId?: number): Promise<Float32Array[]> {
  const outputs = await session.run(feedsFor(rows, length, padId));
  const { data } = outputs[SENTENCE_EMBEDDING];
  const width = USE_LITE.outputWidth;
  return rows.map((_, i) => (data as Float32Array).slice(i * width, (i + 1) * width));
}

describe('buildUseLiteEncoder', () => {
  it('gives the embeddings of the tfjs graph, for rows of several lengths in one padded batch', async () => {
    const embeddings = await embed(REFERENCE.rows.map((row) => row.ids));
    REFERENCE.rows.forEach((row, i) => {
      expect(largestDifference(embeddings[i], row.embedding)).toBeLessThan(1e-6);
    });
  });

  it('gives a text the same embedding alone, in a batch, and with any padding', async () => {
    const rows = REFERENCE.rows.slice(0, 4).map((row) => row.ids);
    const batch = await embed(rows, 60, 17);
    for (const [i, ids] of rows.entries()) {
      const [alone] = await embed([ids]);
      const [padded] = await embed([ids], 33, USE_LITE.vocabularyRows - 1);
      expect(largestDifference(alone, batch[i])).toBeLessThan(1e-6);
      expect(largestDifference(alone, padded)).toBeLessThan(1e-6);
    }
  });

  it('has finite embeddings of length 1, also for a row without tokens', async () => {
    const embeddings = await embed([[], [5, 6, 7]], 4);
    for (const embedding of embeddings) {
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
    }
  });

  it('knows the order of words', async () => {
    const [a, b] = await embed([
      [11, 4735, 511, 3131],
      [3131, 511, 4735, 11],
    ]);
    expect(largestDifference(a, b)).toBeGreaterThan(1e-3);
  });

  it('refuses more tokens than it has positions for', async () => {
    const ids = Array.from({ length: 129 }, () => 9);
    await expect(embed([ids])).rejects.toThrow(/out of data bounds, idx=128/);
    await expect(embed([ids.slice(0, 128)], 140)).resolves.toHaveLength(1);
  });

  it('becomes static with bindDims, and then gives the same', async () => {
    const rows = REFERENCE.rows.slice(1, 3).map((row) => row.ids);
    const bound = bindDims(graph, { batch: 2, sequence: 16 });
    for (const node of bound.nodes) {
      for (const value of node.outputs) {
        expect(value?.shape?.every((dim) => typeof dim === 'number')).toBe(true);
      }
    }
    const fixed = await engine.load(writeModel(bound));
    const outputs = await fixed.run(feedsFor(rows, 16));
    await fixed.release();
    const expected = (await embed(rows)).flatMap((row) => [...row]);
    expect(largestDifference(outputs[SENTENCE_EMBEDDING].data as Float32Array, expected)).toBeLessThan(1e-6);
  });

  it('names its parameters and what can be tapped', () => {
    const initializers = new Set([...graph.initializers.keys()].map((value) => value.name));
    for (const { name } of parameterSpecs()) expect(initializers).toContain(name);
    for (const layer of ['layer_0', 'layer_1']) {
      expect(findValue(graph, `${layer}/output`)?.shape).toEqual(['batch', 'sequence', 512]);
      const probabilities = findValue(graph, `${layer}/attention/probabilities`);
      expect(probabilities?.shape).toEqual(['batch', 4, 'sequence', 'sequence']);
    }
    expect(graph.outputs.map((value) => value.shape)).toEqual([['batch', 512]]);
  });

  it('fails on a parameter that is missing', async () => {
    const weights = new Map(await readUseLiteWeights());
    weights.delete('layer_1/attention/qkv/bias');
    expect(() => buildUseLiteEncoder(weights)).toThrow('layer_1/attention/qkv/bias');
  });
});

describe('timingSignal', () => {
  it('has the sine and cosine of the position, from wavelength 2 pi to 20,000 pi', () => {
    const { dims, data } = timingSignal();
    expect(dims).toEqual([128, 256]);
    const at = (position: number, column: number) => Number(data[position * 256 + column]);
    expect([at(0, 0), at(0, 128)]).toEqual([0, 1]);
    expect(at(3, 0)).toBeCloseTo(Math.sin(3), 6);
    expect(at(100, 255)).toBeCloseTo(Math.cos(0.01), 6);
  });
});
