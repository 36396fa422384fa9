import { describe, expect, it } from 'vitest';
import { quantizeDynamic } from '../compress/quantize-dynamic.ts';
import type { Session } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { readModel } from '../onnx/read-model.ts';
import { int64, type Tensor, zeros } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { bert } from './bert.ts';
import { buildClassifier } from './build-student.ts';
import { buildGpt2 } from './gpt2.ts';
import { withKeyValueCache } from './key-value-cache.ts';
import { buildLlama } from './llama.ts';

const VOCABULARY = 13;
const LENGTH = 10;
const engine = createNodeEngine();
const context = (seed: string) => ({
  vocabularySize: VOCABULARY,
  maxLength: LENGTH,
  random: randomStream(1, seed),
});
/** Weights ten times as large as at the start of a training, so that what is seen makes a difference. */
const loud = (graph: Graph): Graph => ({
  ...graph,
  initializers: new Map(
    [...graph.initializers].map(([value, content]) => [
      value,
      content.type === 'float32' && content.dims.length === 2
        ? { ...content, data: (content.data as Float32Array).map((weight) => 10 * weight) }
        : content,
    ]),
  ),
});

/** Decoders, with the heads of their keys and the width of each. */
const decoders: readonly (readonly [string, Graph, readonly number[]])[] = [
  ['gpt2', loud(buildGpt2({ width: 8, heads: 2, layers: 2 }, context('gpt2')).graph), [2, 4]],
  [
    'llama',
    loud(buildLlama({ width: 16, heads: 4, keyHeads: 2, layers: 2 }, context('llama')).graph),
    [2, 4],
  ],
  [
    'llama of one head of keys',
    loud(buildLlama({ width: 24, heads: 4, keyHeads: 1, layers: 2 }, context('llama')).graph),
    [1, 6],
  ],
];

/** Texts of a batch, the second one padded on the left. */
const IDS = [
  [1, 2, 3, 4, 5, 6, 7],
  [0, 0, 9, 8, 7, 6, 5],
];
const MASK = [
  [1, 1, 1, 1, 1, 1, 1],
  [0, 0, 1, 1, 1, 1, 1],
];
const rows = (values: readonly (readonly number[])[], from: number, to: number) =>
  int64(
    values.flatMap((row) => row.slice(from, to)),
    [values.length, to - from],
  );

/** Logits [row][token][id] of all tokens, read in parts of these lengths. */
async function inParts(session: Session, lengths: readonly number[], sizes: readonly number[]) {
  const pasts = session.inputNames.filter((name) => name.startsWith('past'));
  let kept: Record<string, Tensor> = Object.fromEntries(
    pasts.map((name) => [name, zeros('float32', [IDS.length, sizes[0] as number, 0, sizes[1] as number])]),
  );
  const logits: number[][][] = IDS.map(() => []);
  let from = 0;
  for (const length of lengths) {
    const to = from + length;
    const out = await session.run({
      input_ids: rows(IDS, from, to),
      attention_mask: rows(MASK, 0, to),
      ...kept,
    });
    kept = Object.fromEntries(
      pasts.map((name) => [name, out[name.replace('past_key_values', 'present')] as Tensor]),
    );
    for (const [row, tokens] of logits.entries()) {
      for (let t = 0; t < length; t++)
        tokens.push(
          [...(out.logits.data as Float32Array)].slice((row * length + t) * VOCABULARY).slice(0, VOCABULARY),
        );
    }
    from = to;
  }
  return { logits, kept };
}

describe.each(decoders)('%s with its cache', (_, graph, sizes) => {
  it('says in parts what it says of the whole', async () => {
    const whole = await engine.load(writeModel(graph));
    const { logits: expected } = await inParts(whole, [7], sizes);
    await whole.release();
    const session = await engine.load(writeModel(withKeyValueCache(graph)));
    for (const parts of [[7], [4, 1, 1, 1], [3, 4], [1, 1, 1, 1, 1, 1, 1]]) {
      const { logits, kept } = await inParts(session, parts, sizes);
      for (const tensor of Object.values(kept)) expect(tensor.dims).toEqual([2, sizes[0], 7, sizes[1]]);
      for (const [row, mask] of MASK.entries()) {
        for (const [t, counts] of mask.entries()) {
          if (counts === 0) continue;
          for (const [id, value] of expected[row][t].entries())
            expect(logits[row][t][id]).toBeCloseTo(value, 5);
        }
      }
    }
    await session.release();
  });

  it('is the same of a file that was read, and of int8 weights', async () => {
    const read = readModel(writeModel(graph));
    const again = await engine.load(writeModel(withKeyValueCache(read)));
    const own = await engine.load(writeModel(withKeyValueCache(graph)));
    const [a, b] = [await inParts(again, [4, 1, 2], sizes), await inParts(own, [4, 1, 2], sizes)];
    expect(a.logits).toEqual(b.logits);
    const quantized = withKeyValueCache(quantizeDynamic(graph));
    // The table of the tokens too, which is also that of the logits.
    const floats = [...quantized.initializers].filter(
      ([, { type, dims }]) => type === 'float32' && dims.length > 1 && dims[1] !== 1,
    );
    expect(floats.map(([{ name }]) => name)).toEqual([]);
    const int8 = await engine.load(writeModel(quantized));
    const { logits } = await inParts(int8, [4, 1, 2], sizes);
    const range = Math.max(...b.logits[0].flat()) - Math.min(...b.logits[0].flat());
    expect(range).toBeGreaterThan(0.5);
    for (const [t, token] of logits[0].entries())
      for (const [id, value] of token.entries())
        expect(Math.abs(value - (b.logits[0][t][id] as number))).toBeLessThan(range / 10);
    for (const session of [again, own, int8]) await session.release();
  });

  it('declares what transformers.js reads', () => {
    const cached = withKeyValueCache(graph);
    const shapes = Object.fromEntries([...cached.inputs, ...cached.outputs].map((v) => [v.name, v.shape]));
    expect(shapes).toEqual({
      input_ids: ['batch_size', 'sequence_length'],
      attention_mask: ['batch_size', 'past_sequence_length + sequence_length'],
      logits: ['batch_size', 'sequence_length', VOCABULARY],
      ...Object.fromEntries(
        [0, 1].flatMap((n) =>
          ['key', 'value'].flatMap((part) => [
            [`past_key_values.${n}.${part}`, ['batch_size', sizes[0], 'past_sequence_length', sizes[1]]],
            [
              `present.${n}.${part}`,
              ['batch_size', sizes[0], 'past_sequence_length + sequence_length', sizes[1]],
            ],
          ]),
        ),
      ),
    });
  });
});

it('is refused for a model that sees what comes later', () => {
  const encoder = buildClassifier(
    bert,
    { width: 8, heads: 2, layers: 1, feedForward: 8 },
    { ...context('bert'), classes: 3 },
  );
  expect(() => withKeyValueCache(encoder.graph)).toThrow(
    expect.objectContaining({ code: 'export.no-cache', remedy: expect.stringContaining('gpt2') }),
  );
});
