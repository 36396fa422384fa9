import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { bert } from '../students/bert.ts';
import { buildClassifier } from '../students/build-student.ts';
import { embeddedVocabulary } from '../teachers/vocabulary.ts';
import { withKeptEnd } from './kept-end.ts';

const [SEP, PAD, MOST] = [3, 0, 6];
const { graph } = buildClassifier(
  bert,
  bert.options.parse({ width: 8, heads: 2, layers: 1, feedForward: 8 }),
  {
    vocabularySize: 20,
    classes: 3,
    maxLength: MOST,
    random: randomStream(1, 'kept-end'),
  },
);

async function logits(model: typeof graph, rows: number[][], side: 'left' | 'right' = 'right') {
  const length = Math.max(...rows.map((row) => row.length));
  const padded = (row: number[], by: number) => {
    const padding = new Array(length - row.length).fill(by);
    return side === 'right' ? [...row, ...padding] : [...padding, ...row];
  };
  const session = await createNodeEngine().load(writeModel(model));
  const { logits: found } = await session.run({
    input_ids: int64(
      rows.flatMap((row) => padded(row, PAD)),
      [rows.length, length],
    ),
    attention_mask: int64(
      rows.flatMap((row) =>
        padded(
          row.map(() => 1),
          0,
        ),
      ),
      [rows.length, length],
    ),
  });
  await session.release();
  return Array.from(found.data as Float32Array);
}

const kept = withKeptEnd(graph, { endIds: [SEP], maxLength: MOST });

it.each(['right', 'left'] as const)('sees the end token of a cut text, padded on the %s', async (side) => {
  const cut = [2, 7, 8, 9, 10, 11];
  const found = await logits(kept, [cut, [2, 7, SEP]], side);
  expect(found).toEqual(
    await logits(
      graph,
      [
        [2, 7, 8, 9, 10, SEP],
        [2, 7, SEP],
      ],
      side,
    ),
  );
  expect(found).not.toEqual(await logits(graph, [cut, [2, 7, SEP]], side));
});

it('changes nothing for texts that fit', async () => {
  const texts = [
    [2, 7, 8, 9, 10, SEP],
    [2, 7, SEP],
    [2, SEP],
  ];
  expect(await logits(kept, texts)).toEqual(await logits(graph, texts));
});

it('shows its embeddings and its vocabulary as before', () => {
  expect(describeModel(kept).features).toBe(describeModel(graph).features);
  expect(embeddedVocabulary(kept, kept.inputs[0] as (typeof kept.inputs)[number])).toBe(20);
});

it('is the model itself where no token ends a text', () => {
  expect(withKeptEnd(graph, { endIds: [], maxLength: MOST })).toBe(graph);
});
