import { describe, expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import type { TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { elementCount, float32, int64, type Tensor } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { cutIntoParts, type ModelPart } from './cut-into-parts.ts';

const WIDTH = 32;
const LAYERS = 6;
const [BATCH, LENGTH] = [2, 5];
/** Bytes of a layer's weights, and of a hidden state. */
const LAYER = 2 * 4 * WIDTH * WIDTH;
const HIDDEN = 4 * BATCH * LENGTH * WIDTH;
/** Two layers, a copy of a weight for a moment, and some values. */
const MEMORY = 2.5 * LAYER + 8 * HIDDEN;

/**
 * Layers over tokens with residuals: a mask that all read, a projection of the first layer that the last one reads again, an
 * output beside the last.
 */
function layered() {
  const random = randomStream(1, 'parts');
  const weight = (...dims: number[]) =>
    float32(
      Array.from({ length: elementCount(dims) }, () => random.normal() / 6),
      dims,
    );
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.unsqueeze(g.cast(g.input('attention_mask', 'int64', ['batch', 'sequence']), 'float32'), [2]);
  let hidden = g.op(
    'Gather',
    [g.initializer('embeddings', weight(16, WIDTH)), ids],
    {},
    { name: 'embedded' },
  );
  let early: TypedValue | undefined;
  for (let layer = 0; layer < LAYERS; layer++) {
    const inner = g.tanh(g.matMul(g.mul(hidden, mask), g.initializer(`in_${layer}`, weight(WIDTH, WIDTH))));
    early ??= g.reduceMean(inner, { axes: [2] });
    const outer = g.matMul(inner, g.initializer(`out_${layer}`, weight(WIDTH, WIDTH)));
    hidden = g.op('Add', [hidden, outer], {}, { name: `hidden_${layer}` });
  }
  g.output(g.op('Identity', [g.add(hidden, early as TypedValue)]), 'last');
  const graph = g.build('layered');
  const second = graph.nodes.flatMap(({ outputs }) => outputs).find((value) => value?.name === 'hidden_1');
  return { ...graph, outputs: [...graph.outputs, second as TypedValue] };
}

const shapes = new Map([
  ['input_ids', [BATCH, LENGTH]],
  ['attention_mask', [BATCH, LENGTH]],
]);
const feeds = {
  input_ids: int64([3, 1, 4, 1, 5, 9, 2, 6, 0, 0], [BATCH, LENGTH]),
  attention_mask: int64([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [BATCH, LENGTH]),
};

/** Runs the parts one after another, as what carries them does. */
async function runParts(parts: readonly ModelPart[]): Promise<Record<string, Tensor>> {
  const known: Record<string, Tensor> = { ...feeds };
  for (const { graph } of parts) {
    const own = Object.fromEntries(graph.inputs.map(({ name }) => [name, known[name] as Tensor]));
    Object.assign(known, await runGraph(graph, own));
  }
  return known;
}

describe('cutIntoParts', () => {
  it('leaves a model that fits in one part', () => {
    const parts = cutIntoParts(layered(), { memory: 10 * LAYERS * LAYER, shapes });
    expect(parts).toHaveLength(1);
    expect(parts[0]).toMatchObject({ carriedIn: [], carriedOut: new Map(), answers: ['last', 'hidden_1'] });
  });

  it('cuts between layers, and gives the same answers in the same bits', async () => {
    const graph = layered();

    const parts = cutIntoParts(graph, { memory: MEMORY, shapes });
    expect(parts.length).toBeGreaterThan(2);
    for (const { memoryBytes } of parts) expect(memoryBytes).toBeLessThanOrEqual(MEMORY);
    const whole = await runGraph(graph, feeds);
    const answers = await runParts(parts);
    for (const name of ['last', 'hidden_1']) expect(answers[name]).toEqual(whole[name]);
    expect(parts.flatMap((part) => part.answers).sort()).toEqual(['hidden_1', 'last']);
  });

  it('carries hidden states and what cannot be had otherwise, and computes masks again', () => {
    const parts = cutIntoParts(layered(), { memory: MEMORY, shapes });
    const last = parts.length - 1;
    for (const { carriedIn } of parts.slice(1)) {
      expect(carriedIn.filter((name) => /^hidden_\d$/.test(name))).toHaveLength(1);
      expect(carriedIn.length).toBeLessThanOrEqual(2);
    }
    // The mean of the first layer is read by the last part alone.
    const early = parts
      .flatMap(({ carriedOut }) => [...carriedOut])
      .filter(([name]) => !/^hidden/.test(name));
    expect(early).toEqual([[expect.any(String), last]]);
    for (const { graph } of parts.slice(0, -1))
      expect(graph.inputs.map(({ name }) => name)).toContain('attention_mask');
  });

  it('is a weight in the parts that read it, not in others', () => {
    const parts = cutIntoParts(layered(), { memory: MEMORY, shapes });
    const names = parts.map(({ graph }) => [...graph.initializers.keys()].map(({ name }) => name));
    for (let layer = 0; layer < LAYERS; layer++)
      expect(names.filter((own) => own.includes(`in_${layer}`))).toHaveLength(1);
    expect(parts.reduce((sum, { weightBytes }) => sum + weightBytes, 0)).toBeLessThan(
      LAYERS * LAYER + 4 * 16 * WIDTH + 200,
    );
  });

  it('names the node that is larger than the bound, and the bound that would do', () => {
    const memory = 2000;
    let error: { message: string; where: string; remedy: string } | undefined;
    try {
      cutIntoParts(layered(), { memory, shapes });
    } catch (caught) {
      error = caught as typeof error;
    }
    expect(error).toMatchObject({ code: 'teacher.memory', where: expect.stringContaining('MatMul') });
    const least = Number(/teacher\.memory to (\d+)/.exec(error?.remedy ?? '')?.[1]);
    expect(least).toBeGreaterThan(4 * WIDTH * WIDTH);
    expect(cutIntoParts(layered(), { memory: least, shapes }).length).toBeGreaterThan(LAYERS);
    expect(() => cutIntoParts(layered(), { memory: least - 1, shapes })).toThrow();
  });
});
