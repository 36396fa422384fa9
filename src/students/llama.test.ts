import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildLlama, RMS_EPSILON, ROPE_THETA } from './llama.ts';
import { nextTokenLosses } from './testing/next-token-losses.ts';

const VOCABULARY = 11;
const [WIDTH, HEADS, KEY_HEADS, LAYERS] = [16, 4, 2, 2];
const SIZE = WIDTH / HEADS;
const engine = createNodeEngine();
const student = buildLlama(
  { width: WIDTH, heads: HEADS, keyHeads: KEY_HEADS, layers: LAYERS },
  { vocabularySize: VOCABULARY, maxLength: 8, random: randomStream(1, 'llama') },
);
// Larger than at the start of a training, and scales that differ, so that every part makes a difference.
const random = randomStream(2, 'scales');
for (const { dims, data } of student.graph.initializers.values()) {
  const weights = data as Float32Array;
  const drawn = (value: number) => (dims.length === 2 ? 12 * value : 0.5 + random.uniform());
  if (dims.length === 2 || dims[0] === WIDTH) weights.set(weights.map(drawn));
}
const contents = new Map([...student.graph.initializers].map(([{ name }, content]) => [name, content]));

type Matrix = number[][];
const weight = (name: string): Tensor => contents.get(name) as Tensor;
const matrix = (name: string): Matrix => {
  const { dims, data } = weight(`${name}/weight`);
  const [rows, columns] = dims as readonly [number, number];
  return Array.from({ length: rows }, (_, r) => [
    ...(data as Float32Array).subarray(r * columns, (r + 1) * columns),
  ]);
};
const times = (x: Matrix, w: Matrix): Matrix =>
  x.map((row) => w[0].map((_, column) => row.reduce((sum, value, i) => sum + value * w[i][column], 0)));
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i][j]));
const normed = (x: Matrix, name: string): Matrix =>
  x.map((row) => {
    const root = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + RMS_EPSILON);
    return row.map((value, i) => (value / root) * Number(weight(`${name}/weight`).data[i]));
  });

/** As transformers turns (`rotate_half`): x * cos + [-x2, x1] * sin. */
const turned = (head: number[], position: number): number[] =>
  head.map((value, i) => {
    const half = SIZE / 2;
    const angle = position * ROPE_THETA ** (-(2 * (i % half)) / SIZE);
    const other = i < half ? -head[i + half] : head[i - half];
    return value * Math.cos(angle) + other * Math.sin(angle);
  });

/** The logits of a text, computed number by number. */
function reference(ids: readonly number[]): Matrix {
  const table = matrix('embed_tokens');
  let hidden: Matrix = ids.map((id) => table[id]);
  for (let layer = 0; layer < LAYERS; layer++) {
    const name = (part: string) => `layers.${layer}/${part}`;
    const x = normed(hidden, name('input_layernorm'));
    const [q, k, v] = ['q', 'k', 'v'].map((part) => times(x, matrix(name(`self_attn/${part}_proj`))));
    const head = (rows: Matrix, at: number) => rows.map((row) => row.slice(at * SIZE, (at + 1) * SIZE));
    const contexts = Array.from({ length: HEADS }, (_, h) => {
      const own = Math.floor(h / (HEADS / KEY_HEADS));
      const queries = head(q, h).map(turned);
      const keys = head(k, own).map(turned);
      const values = head(v, own);
      return queries.map((query, t) => {
        const scores = keys
          .slice(0, t + 1)
          .map((key) => query.reduce((s, value, i) => s + value * key[i], 0) / Math.sqrt(SIZE));
        const exps = scores.map(Math.exp);
        const sum = exps.reduce((a, b) => a + b);
        return values[0].map((_, i) => exps.reduce((s, e, j) => s + (e / sum) * values[j][i], 0));
      });
    });
    const joined = ids.map((_, t) => contexts.flatMap((rows) => rows[t]));
    hidden = plus(hidden, times(joined, matrix(name('self_attn/o_proj'))));
    const inner = normed(hidden, name('post_attention_layernorm'));
    const gate = times(inner, matrix(name('mlp/gate_proj')));
    const up = times(inner, matrix(name('mlp/up_proj')));
    const active = gate.map((row, i) => row.map((value, j) => (value / (1 + Math.exp(-value))) * up[i][j]));
    hidden = plus(hidden, times(active, matrix(name('mlp/down_proj'))));
  }
  return normed(hidden, 'norm').map((row) =>
    table.map((entry) => entry.reduce((s, value, i) => s + value * row[i], 0)),
  );
}

it('answers as computed number by number, on whichever side it is padded', async () => {
  const session = await engine.load(writeModel(student.graph));
  const texts = [
    [1, 2, 3, 4, 5, 6],
    [9, 8, 7],
  ];
  const { logits } = await session.run({
    input_ids: int64([...texts[0], 0, 0, 0, ...texts[1], ...texts[1], 0, 0, 0], [3, 6]),
    attention_mask: int64([1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0], [3, 6]),
  });
  await session.release();
  const values = logits.data as Float32Array;
  for (const [row, text, first] of [
    [0, texts[0], 0],
    [1, texts[1], 3],
    [2, texts[1], 0],
  ] as const) {
    const expected = reference(text);
    expect(Math.max(...expected.flat()) - Math.min(...expected.flat())).toBeGreaterThan(1);
    for (const [t, token] of expected.entries())
      for (const [id, value] of token.entries())
        expect(values[(row * 6 + first + t) * VOCABULARY + id]).toBeCloseTo(value, 4);
  }
});

it('learns a sequence by its next tokens', async () => {
  const fresh = buildLlama(
    { width: 8, heads: 2, keyHeads: 1, layers: 2 },
    { vocabularySize: VOCABULARY, maxLength: 6, random: randomStream(1, 'llama') },
  );
  const losses = await nextTokenLosses(fresh, 80, 0.03);
  expect(losses[0]).toBeCloseTo(Math.log(VOCABULARY), 1);
  expect(losses[79]).toBeLessThan(0.05);
});

describe('heads that do not fit are refused', () => {
  const build =
    (heads: number, keyHeads: number, width = 24) =>
    () =>
      buildLlama(
        { width, heads, keyHeads, layers: 1 },
        { vocabularySize: 5, maxLength: 4, random: randomStream(1, 'x') },
      );
  it.each([
    [5, 5, 'student.heads'],
    [4, 3, 'student.keyHeads'],
    [2, 4, 'student.keyHeads'],
    [8, 8, 'student.heads'],
  ])('%d and %d of 24', (heads, keyHeads, where) => {
    expect(build(heads, keyHeads)).toThrow(expect.objectContaining({ code: 'recipe.invalid', where }));
  });
});
