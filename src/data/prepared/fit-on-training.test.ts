import { expect, it } from 'vitest';
import { numberTruth } from '../../targets/numbers-truth.ts';
import { sentenceTruth } from '../../targets/sentence-truth.ts';
import { TextProcessor } from '../modalities/text/text-processor.ts';
import { tokenizerFromVocabulary } from '../modalities/text/tokenizer/use-lite-tokenizer.ts';
import type { DataSource, SplitName } from '../sample.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { prepareDataset } from './prepare-dataset.ts';

const folder = temporaryFolders();
const tokenizer = tokenizerFromVocabulary([
  ...(['<unk>', '<s>', '</s>', '<pad>', '<4>', '<5>'].map((piece) => [piece, 0]) as [string, number][]),
  ['▁', -2],
  ...([...'abcdefghij0123456789'].map((piece) => [piece, -3]) as [string, number][]),
]);

const ROWS: [SplitName, number, string][] = [
  ['train', 1, 'a bag'],
  ['train', 3, 'a bag and a boot'],
  ['validation', 100, 'a hat'],
  ['test', 1000, 'two hats and a bag'],
];

const source: DataSource = {
  title: 'rows',
  fingerprint: async () => 'rows',
  async *rows() {
    for (const [i, [split, number, sentence]] of ROWS.entries())
      yield { sample: { id: `${i}`, split, values: { text: `text ${i}`, number, sentence } } };
  },
};

it('what a space learns of values is of training samples alone', async () => {
  const dataset = await prepareDataset({
    source,
    inputs: [
      {
        name: 'text',
        modality: 'text',
        fields: ['text'],
        processor: new TextProcessor({ tokenizer, fields: ['text'], buckets: [16] }),
      },
    ],
    outputs: [
      { name: 'number', field: 'number', truth: numberTruth() as never },
      {
        name: 'said',
        field: 'sentence',
        truth: sentenceTruth({ length: 9, vocabulary: 99, least: 1 }) as never,
      },
    ],
    labelsPerClass: 'all',
    seed: 1,
    onBrokenRow: 'fail',
    folder: await folder(),
  });
  expect(dataset.spaces.number).toEqual({ mean: 2, deviation: Math.fround(Math.SQRT2) });
  expect(dataset.spaces.said).toEqual({ words: ['a', 'and', 'bag', 'boot'], length: 6 });
  expect(dataset.statistics.parts?.said).toMatchObject({
    train: { all: 7, unknown: 0 },
    validation: { all: 2, unknown: 1 },
    test: { all: 5, unknown: 2 },
  });
  dataset.close();
});
