import { describe, expect, it } from 'vitest';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { type LayerSensitivity, measureSensitivity } from './layer-sensitivity.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { quantizeDynamic } from './quantize-dynamic.ts';
import { quantizeTowardsDrop, quantizeWithinDrop } from './quantize-within-drop.ts';

/** Three layers, whose int8 costs what `COST` says. */
const COST: Record<string, number> = { w0: 0.01, w1: 0.2, w2: 0.05 };
const LAYERS = Object.keys(COST);

function chain(): Graph {
  const g = new GraphBuilder();
  let x = g.input('x', 'float32', ['batch', 4]);
  for (let i = 0; i < 3; i++) x = g.matMul(x, g.initializer(`w${i}`, float32(new Array(16).fill(i), [4, 4])));
  g.output(x, 'y');
  return g.build();
}

const graph = chain();
const quantize = (exclude: readonly string[]) => quantizeDynamic(graph, { exclude });
let evaluations = 0;
/** A score of 0.9, less the cost of each layer that is not found in float32 any more. */
const evaluate = async (candidate: Graph) => {
  evaluations++;
  const kept = quantizableLayers(candidate).map((layer) => layer.name);
  return LAYERS.reduce((score, layer) => score - (kept.includes(layer) ? 0 : COST[layer]), 0.9);
};
const options = { layers: LAYERS, quantize, evaluate, reference: 0.9 };

describe('measureSensitivity', () => {
  it('sorts layers by what their int8 costs, alone or among the others', async () => {
    const seen: LayerSensitivity[] = [];
    const alone = await measureSensitivity({ ...options, onLayer: (layer) => seen.push(layer) });
    expect(alone.map(({ layer }) => layer)).toEqual(['w1', 'w2', 'w0']);
    expect(seen.map(({ layer }) => layer)).toEqual(LAYERS);
    const others = await measureSensitivity({ ...options, mode: 'all-but-one', reference: 0.9 - 0.26 });
    for (const { layer, loss } of [...alone, ...others]) expect(loss).toBeCloseTo(COST[layer], 9);
    expect(others.map(({ layer }) => layer)).toEqual(alone.map(({ layer }) => layer));
  });

  it('takes a score of NaN for the worst', async () => {
    const broken = async (candidate: Graph) => {
      const kept = quantizableLayers(candidate).map((layer) => layer.name);
      return kept.includes('w0') ? evaluate(candidate) : Number.NaN;
    };
    const [worst] = await measureSensitivity({ ...options, evaluate: broken });
    expect(worst.layer).toBe('w0');
  });
});

describe('quantizeWithinDrop', () => {
  it('evaluates once when all of int8 is good enough', async () => {
    evaluations = 0;
    const result = await quantizeWithinDrop({ ...options, maxDrop: 0.3 });
    expect(evaluations).toBe(1);
    expect(result).toMatchObject({ excluded: [], sensitivities: [] });
    expect(quantizableLayers(result.graph)).toEqual([]);
  });

  it('keeps the worst layers in float32 until within the drop, and no more', async () => {
    const result = await quantizeWithinDrop({ ...options, maxDrop: 0.02 });
    expect(result.excluded).toEqual(['w1', 'w2']);
    expect(result.drop).toBeCloseTo(0.01, 9);
    expect(quantizableLayers(result.graph).map((layer) => layer.name)).toEqual(['w1', 'w2']);
    expect((await quantizeWithinDrop({ ...options, maxDrop: 0.07 })).excluded).toEqual(['w1']);
  });

  it('fails with the layers that lost most', async () => {
    const error = await quantizeWithinDrop({ ...options, maxDrop: 0.001 }).catch((cause) => cause);
    expect(error).toMatchObject({ code: 'export.int8-drop' });
    expect(error.message).toMatch(/int8 loses 0.260, more than the 0.00100 allowed; still 0.0100/);
    expect(error.where).toMatch(/: w1 \(0.200\), w2 \(0.0500\), w0/);
    const gate = quantizeWithinDrop({ ...options, maxDrop: 0.1, maxExcluded: 0 });
    await expect(gate).rejects.toMatchObject({ code: 'export.int8-drop' });
    expect(error.remedy).toContain('`export.int8: false`');
  });

  it('takes a drop of exactly the allowed size, whatever the last bits of its floats say', async () => {
    expect(0.95 - 0.94).toBeGreaterThan(0.01);
    const exact = { ...options, evaluate: async () => 0.94, reference: 0.95, maxDrop: 0.01 };
    expect((await quantizeWithinDrop(exact)).excluded).toEqual([]);
  });

  it('gives what came nearest where the drop may be chance', async () => {
    const asked: Graph[] = [];
    const isBeyond = (candidate: Graph) => {
      asked.push(candidate);
      return false;
    };
    const result = await quantizeWithinDrop({ ...options, maxDrop: 0.001, isBeyond });
    expect(result.excluded).toEqual(['w1', 'w2']);
    expect(asked).toEqual([result.graph]);
  });
});

describe('quantizeTowardsDrop', () => {
  it('gives what came nearest where nothing is within the drop', async () => {
    const { whole, best } = await quantizeTowardsDrop({ ...options, maxDrop: 0, maxExcluded: 1 });
    expect(whole.excluded).toEqual([]);
    expect(best.excluded).toEqual(['w1']);
    expect(best.drop).toBeCloseTo(0.06, 9);
  });

  it('ranks the layers by another measure where one is given', async () => {
    let asked = 0;
    const ranking = {
      mode: 'all-but-one' as const,
      // Of a graph with w0 in float32 this thinks best.
      evaluate: async (candidate: Graph) => {
        asked++;
        return quantizableLayers(candidate).some(({ name }) => name === 'w0') ? 1 : 0;
      },
    };
    const { best } = await quantizeTowardsDrop({ ...options, maxDrop: 0.07, ranking });
    expect(best.excluded).toEqual(['w0', 'w1']);
    expect(asked).toBe(1 + LAYERS.length);
  });
});
