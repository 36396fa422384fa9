import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { findValue } from '../onnx/graph.ts';
import { int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { linearHead } from '../targets/linear-head.ts';
import { buildStudent } from './build-student.ts';
import { staticEmbedding } from './static-embedding.ts';

function build(weights: 'learnt' | 'frequency' | 'equal') {
  return buildStudent({
    backbone: staticEmbedding,
    options: staticEmbedding.options.parse({ width: 3, weights }),
    // Token 1 is 998 of 1,000 tokens, token 2 is one of them, 3 and 4 are none.
    inputs: { vocabularySize: 6, maxLength: 8, trainingTexts: [new Array(998).fill(1), [2, 5]] },
    heads: [linearHead(2, 'embedding')],
    random: randomStream(1, 'static'),
  });
}

/** The table's rows, and what the graph says of a text. */
async function pooledOf(weights: 'learnt' | 'frequency' | 'equal', ids: number[]) {
  const { graph } = build(weights);
  const outputs = [findValue(graph, 'tokens')!, findValue(graph, 'pooled')!];
  const session = await createNodeEngine().load(writeModel({ ...graph, outputs }));
  const length = ids.length + 1;
  const { pooled, tokens } = await session.run({
    input_ids: int64([...ids, 4], [1, length]),
    attention_mask: int64([...ids.map(() => 1), 0], [1, length]),
  });
  await session.release();
  const table = [...graph.initializers].find(([{ name }]) => name === 'embedding/weight')![1];
  const row = (id: number) => Array.from(table.data as Float32Array).slice(3 * id, 3 * id + 3);
  return { row, pooled: Array.from(pooled.data as Float32Array), tokens: tokens.data as Float32Array };
}

it('is the mean of its tokens’ vectors, the frequent ones counting less', async () => {
  const equal = await pooledOf('equal', [1, 2]);
  expect(equal.pooled).toEqual(
    equal.row(1).map((value, d) => expect.closeTo((value + equal.row(2)[d]!) / 2, 6)),
  );
  for (const weights of ['learnt', 'frequency'] as const) {
    const { row, pooled, tokens } = await pooledOf(weights, [1, 2]);
    // a / (a + p) with a = 0.001: 1 / 999 and 1 / 2.
    const [often, rarely] = [0.001 / 0.999, 0.001 / 0.002];
    const expected = row(1).map((value, d) => (often * value + rarely * row(2)[d]!) / (often + rarely));
    expect(pooled).toEqual(expected.map((value) => expect.closeTo(value, 6)));
    // The tap's plain mean over the text is the weighted mean, as pooling by transformers.js has it.
    const plain = [0, 1, 2].map((d) => (tokens[d]! + tokens[3 + d]!) / 2);
    expect(plain).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  }
});

it('learns its weights where it is told to', () => {
  expect(build('learnt').parameters).toContain('embedding/log_weights');
  expect(build('frequency').parameters).not.toContain('embedding/log_weights');
});

it('starts from the vectors whose means are the teacher’s', () => {
  const answer = [1, -2];
  const options = (more: object) => staticEmbedding.options.parse({ width: 3, ridge: 1e-6, ...more });
  const inputs = { vocabularySize: 6, maxLength: 8, trainingTexts: [[1, 2], [2]] };
  const taught = { outputs: 2, scope: 'heads/embedding', texts: [{ ids: [2], answer }] };
  const start = staticEmbedding.start!(options({}), inputs, taught);
  const vectors = start.get('embedding/weight')!;
  expect(vectors).toHaveLength(6 * 3);
  expect(Array.from(vectors.subarray(6, 9))).toEqual([expect.closeTo(1, 4), expect.closeTo(-2, 4), 0]);
  expect(Array.from(start.get('heads/embedding/weight')!)).toEqual([1, 0, 0, 1, 0, 0]);
  expect(staticEmbedding.start!(options({ start: 'drawn' }), inputs, taught).size).toBe(0);
});
