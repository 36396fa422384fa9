import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Batch } from '../data/batch.ts';
import { tokenBatch } from '../data/testing/batches.ts';
import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { DataType } from '../onnx/data-type.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { createOnnxTeacher } from './onnx-teacher.ts';
import { layeredModel } from './testing/layered-model.ts';

const engine = createNodeEngine({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'limbeck-teacher-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** logits = the mean of the tokens' embeddings [5, 2]; `hidden` are the embeddings, of 3 tokens. */
function textGraph({ mask = 'int64' as DataType | null, table = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] } = {}) {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 3]);
  const hidden = g.gather(g.initializer('embedding', float32(table, [5, 2])), ids);
  if (mask) {
    const weights = g.unsqueeze(g.cast(g.input('attention_mask', mask, ['batch', 3]), 'float32'), [2]);
    const sum = g.reduceSum(g.mul(hidden, weights), { axes: [1], keepDims: false });
    g.output(g.div(sum, g.reduceSum(weights, { axes: [1], keepDims: false })), 'logits');
  } else {
    g.output(g.reduceMean(hidden, { axes: [1], keepDims: false }), 'logits');
  }
  g.output(g.identity(hidden), 'hidden');
  return g.build();
}

function batch(rows: number[][], filled = rows.length): Batch {
  return tokenBatch({
    rows: rows.length,
    length: 3,
    filled,
    ids: BigInt64Array.from(rows.flat(), BigInt),
    mask: BigInt64Array.from(rows.flat(), (id, i) => (id !== 0 || i % 3 === 0 ? 1n : 0n)),
    labels: new Int32Array(rows.length).fill(-1),
    keys: new Uint8Array(16 * filled),
    ordinals: Uint32Array.from(rows, (_, i) => 100 + i),
  });
}

describe('an ONNX teacher', () => {
  it.each(['int64', 'int32', 'float32'] as const)(
    'answers the rows that are filled (%s mask)',
    async (mask) => {
      const model = writeModel(textGraph({ mask }));
      const teacher = await createOnnxTeacher({
        engine,
        model,
        title: 'T',
        preprocessing: 'p',
        vocabularySize: 5,
      });
      expect(teacher).toMatchObject({
        title: 'T',
        preprocessing: 'p',
        hash: createHash('sha256').update(model).digest('hex'),
        outputs: { logits: { type: 'float32', dims: [2] }, hidden: { type: 'float32', dims: [3, 2] } },
      });
      const answers = await teacher.label(
        batch(
          [
            [1, 0, 0],
            [1, 2, 3],
            [0, 0, 0],
          ],
          2,
        ),
        ['logits', 'hidden'],
      );
      expect([...(answers.logits as Float32Array)]).toEqual([2, 3, 4, 5]);
      expect([...(answers.hidden as Float32Array)]).toEqual([2, 3, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7]);
      await teacher.close();
    },
  );

  it('computes the samples of a batch alone, to the bits that a full one gives', async () => {
    const asked: number[] = [];
    const counting: Engine = {
      ...engine,
      async load(model, options) {
        const session = await engine.load(model, options);
        return {
          ...session,
          run(feeds, fetches) {
            asked.push(feeds.input_ids?.dims[0] as number);
            return session.run(feeds, fetches);
          },
        };
      },
    };
    const graph = layeredModel({ width: 64, heads: 4, classes: 26 });
    const rows = Array.from({ length: 64 }, (_, row) => [1 + (row % 31), 1 + ((row * 7) % 31), 0]);
    const teacher = await createOnnxTeacher({ engine: counting, model: graph, preprocessing: 'p' });
    const { logits: whole } = await teacher.label(batch(rows), ['logits']);
    for (const filled of [1, 2, 3, 13, 63]) {
      const { logits } = await teacher.label(batch(rows, filled), ['logits']);
      expect(logits).toEqual((whole as Float32Array).subarray(0, filled * 26));
    }
    expect(asked).toEqual([64, 1, 2, 3, 13, 63]);
    await teacher.close();
  });

  it('fills batches up for a model of a fixed number of rows', async () => {
    const g = new GraphBuilder();
    const ids = g.input('input_ids', 'int64', [2, 3]);
    g.output(
      g.reduceSum(g.cast(ids, 'float32'), {
        axes: [1],
        keepDims: true,
      }),
      'logits',
    );
    const teacher = await createOnnxTeacher({ engine, model: writeModel(g.build()), preprocessing: 'p' });
    const rows = [
      [1, 2, 3],
      [0, 0, 0],
    ];
    expect((await teacher.label(batch(rows, 1), ['logits'])).logits).toEqual(Float32Array.of(6));
    await teacher.close();
  });

  it('does without a mask where the model has none', async () => {
    const model = writeModel(textGraph({ mask: null }));
    const teacher = await createOnnxTeacher({ engine, model, preprocessing: 'p' });
    expect([...((await teacher.label(batch([[1, 2, 3]]), ['logits'])).logits as Float32Array)]).toEqual([
      4, 5,
    ]);
    await teacher.close();
  });

  it('reads a file, and hashes weights that lie beside it', async () => {
    const path = join(folder, 'model.onnx');
    writeModelFile(path, textGraph());
    const inline = await createOnnxTeacher({ engine, model: path, preprocessing: 'p' });
    expect(inline.title).toBe(path);
    const hashes = [inline.hash];
    await inline.close();
    const large = (last: number) => {
      const g = new GraphBuilder();
      const ids = g.input('input_ids', 'int64', ['batch', 3]);
      const table = new Float32Array(4000);
      table[3999] = last;
      g.output(
        g.reduceMean(g.gather(g.initializer('e', float32(table, [2000, 2])), ids), {
          axes: [1],
          keepDims: false,
        }),
        'logits',
      );
      return g.build();
    };
    for (const last of [1, 2]) {
      writeModelFile(path, large(last), { externalData: true });
      const teacher = await createOnnxTeacher({ engine, model: path, preprocessing: 'p' });
      hashes.push(teacher.hash);
      const { logits } = await teacher.label(batch([[1999, 1999, 1999]]), ['logits']);
      expect([...(logits as Float32Array)]).toEqual([0, last]);
      await teacher.close();
    }
    expect(new Set(hashes).size).toBe(3);
  });

  it('refuses a tokenizer with more pieces than the model embeds', async () => {
    const model = writeModel(textGraph());
    await expect(
      createOnnxTeacher({ engine, model, title: 'T', preprocessing: 'p', vocabularySize: 6 }),
    ).rejects.toMatchObject({
      code: 'teacher.vocabulary',
      message: expect.stringContaining('the tokenizer has 6 pieces, the model embeds 5'),
    });
    const unchecked = await createOnnxTeacher({ engine, model, title: 'T', preprocessing: 'p' });
    await expect(unchecked.label(batch([[1, 2, 5]]), ['logits'])).rejects.toMatchObject({
      code: 'teacher.vocabulary',
    });
    await unchecked.close();
  });

  it.each([
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
  ])('names sample and tap when an answer is %s', async (value, text) => {
    const model = writeModel(textGraph({ table: [0, 1, 2, 3, 4, value, 6, 7, 8, 9] }));
    const teacher = await createOnnxTeacher({ engine, model, title: 'T', preprocessing: 'p' });
    await teacher.label(
      batch(
        [
          [1, 1, 1],
          [3, 3, 3],
          [2, 2, 2],
        ],
        2,
      ),
      ['logits'],
    );
    await expect(
      teacher.label(
        batch([
          [1, 1, 1],
          [2, 2, 2],
          [3, 3, 3],
        ]),
        ['hidden', 'logits'],
      ),
    ).rejects.toMatchObject({
      code: 'teacher.not-finite',
      message: `T answers ${text} for a sample`,
      where: 'hidden, value 1 of sample 101 of its split',
    });
    await teacher.close();
  });

  it('refuses models that are no text models, and taps that are not there', async () => {
    const g = new GraphBuilder();
    g.output(g.relu(g.input('pixels', 'float32', ['batch', 4])), 'y');
    await expect(
      createOnnxTeacher({ engine, model: writeModel(g.build()), preprocessing: 'p' }),
    ).rejects.toMatchObject({ code: 'teacher.inputs', where: 'inputs: pixels' });
    const h = new GraphBuilder();
    h.output(h.add(h.input('input_ids', 'int64', ['batch', 'sequence']), 1), 'y');
    await expect(
      createOnnxTeacher({ engine, model: writeModel(h.build()), preprocessing: 'p' }),
    ).rejects.toMatchObject({ code: 'teacher.outputs' });
    const teacher = await createOnnxTeacher({ engine, model: writeModel(textGraph()), preprocessing: 'p' });
    await expect(teacher.label(batch([[1, 2, 3]]), ['attention'])).rejects.toMatchObject({
      code: 'teacher.tap',
      where: 'its taps: logits, hidden',
    });
    await teacher.close();
    await expect(
      createOnnxTeacher({ engine, model: new Uint8Array(10), preprocessing: 'p', title: 'T' }),
    ).rejects.toMatchObject({ code: 'model.malformed' });
  });
});
