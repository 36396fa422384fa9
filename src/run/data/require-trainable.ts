import type { Batch } from '../../data/batch.ts';
import { weightName } from '../../data/columns.ts';
import type { Dataset } from '../../data/dataset.ts';
import { BROKEN_ROWS_FILE, brokenSummary } from '../../data/rows/broken-rows.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import type { Head } from '../../targets/head.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { sidesOf } from '../heads/pair-sides.ts';

interface PreparedData {
  readonly dataset: Pick<Dataset, 'title' | 'splits' | 'statistics' | 'inputs'>;
  readonly heads: readonly Pick<Head, 'output' | 'target'>[];
}

/** Rows that are read at once in search of a pair: most data have one among the first. */
const ROWS = 16;
const SPLITS = ['train', 'validation', 'test'] as const;

/** @throws LimbeckError what `untrainable` finds */
export function requireTrainable(data: PreparedData): void {
  const problem = untrainable(data);
  if (problem) throw problem;
}

/**
 * Why nothing can be trained on prepared data: `data.no-training` without training samples, `data.no-pairs` where a split of
 * pairs has none with both sides. Undefined where there is something to learn from.
 */
export function untrainable({ dataset, heads }: PreparedData): LimbeckError | undefined {
  return dataset.splits.train.size === 0 ? withoutSamples(dataset) : withoutPairs({ dataset, heads });
}

function withoutSamples({ title, splits, statistics }: PreparedData['dataset']): LimbeckError {
  const { rows, broken, duplicates, unlabelledHeldOut } = statistics;
  const counts = [
    `${rows} rows were read`,
    broken.count > 0 ? `${broken.count} of them broken (${brokenSummary(broken)})` : 'none of them broken',
    `${duplicates} duplicates of rows in another split`,
    ...(unlabelledHeldOut > 0 ? [`${unlabelledHeldOut} without a label in held-out groups`] : []),
    `${splits.validation.size} to validate`,
    `${splits.test.size} to test`,
  ];
  return new LimbeckError('data.no-training', `no sample is left to train on: ${counts.join(', ')}`, {
    where: title,
    remedy:
      broken.count > 0
        ? `Correct the broken rows (listed in ${BROKEN_ROWS_FILE}), or make data.splits.validation and data.splits.test smaller.`
        : 'Add rows that differ, or make data.splits.validation and data.splits.test smaller.',
  });
}

function withoutPairs({ dataset, heads }: PreparedData): LimbeckError | undefined {
  const pairs = heads.find(({ target }) => target.kind === 'pairs');
  const sides = [...sidesOf(dataset.inputs).values()];
  if (!pairs || sides.length < 2) return undefined;
  const { splits, title } = dataset;
  const empty = SPLITS.filter((name) => splits[name].size > 0 && !hasPair(splits[name], sides));
  if (empty.length === 0) return undefined;
  const names = sides.map((side) => `'${side}'`).join(' and ');
  return new LimbeckError(
    'data.no-pairs',
    `no row has both ${names} among the samples for ${empty.join(', ')}: there is no pair that '${pairs.output}' could be learnt from or measured on`,
    {
      where: title,
      remedy: `Check ${sides.map((side) => `inputs.${side}.field`).join(' and ')}, add rows that have both, or change data.splits.`,
    },
  );
}

/** Reads a split until the first row that has all sides. */
function hasPair(split: Split, sides: readonly string[]): boolean {
  for (const batch of splitBatches(split, ROWS)) {
    for (let row = 0; row < batch.filled; row++) if (hasAll(batch, row, sides)) return true;
  }
  return false;
}

function hasAll({ columns }: Batch, row: number, sides: readonly string[]): boolean {
  return sides.every((side) => Number(columns[weightName(side)]?.data[row] ?? 1) > 0);
}
