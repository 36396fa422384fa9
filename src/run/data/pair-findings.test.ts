import { expect, test } from 'vitest';
import { InputCounts } from '../../data/rows/input-counts.ts';
import { pairs } from '../../targets/pairs.ts';
import { pairFindings } from './pair-findings.ts';

const INPUTS = [
  { name: 'caption', modality: 'text' },
  { name: 'photo', modality: 'image' },
];

/** @param rows what each row has of the caption and of the photo */
function found(
  rows: readonly (readonly [boolean, boolean])[],
  heads: object[] = [{ output: 'both', target: pairs }],
) {
  const counts = INPUTS.map(() => new InputCounts(undefined));
  for (const [i, row] of rows.entries())
    for (const [side, has] of row.entries())
      counts[side]!.add(has ? { bytes: new Uint8Array(1), content: 'x' } : undefined, `rows.jsonl:${i + 1}`);
  const inputs = Object.fromEntries(INPUTS.map(({ name }, i) => [name, counts[i]!.found()]));
  const statistics = { rows: rows.length + 1, broken: { count: 1 }, inputs };
  return pairFindings({ dataset: { inputs: INPUTS, statistics }, heads } as unknown as Parameters<
    typeof pairFindings
  >[0]);
}

test('samples without one side of a pair are told by side, with the first of them', () => {
  const rows = Array.from({ length: 20 }, (_, i) => [i % 10 !== 3, i !== 6] as const);
  expect(found(rows)).toEqual([
    expect.stringMatching(
      /^of 20 samples 2 have no 'caption' \(10.*; the first: rows\.jsonl:4\), and 1 has no 'photo' \(5.*; the first: rows\.jsonl:7\)/,
    ),
  ]);
});

test('whole pairs are no finding, and neither are samples of outputs that are no pairs', () => {
  expect(found([[true, true]])).toEqual([]);
  expect(found([[true, false]], [{ output: 'label', target: { kind: 'class' } }])).toEqual([]);
});
