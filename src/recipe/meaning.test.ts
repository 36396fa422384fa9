import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withInnerTable } from '../../scripts/inner-table.ts';
import { allObjectives } from '../objectives/index.ts';
import { targets } from '../targets/index.ts';
import { LOSSES_OF_ANSWERS, LOSSES_THAT_ASK, lossFits } from './meaning.ts';

it('docs/objectives.md has the table that the code makes (npx tsx scripts/write-inner-table.ts)', () => {
  const page = readFileSync(new URL('../../docs/objectives.md', import.meta.url), 'utf8');
  expect(withInnerTable(page)).toBe(page);
});

it('names losses and targets that there are', () => {
  const losses = allObjectives().map(({ kind }) => kind);
  const kinds = targets().map(({ kind }) => kind);
  expect(losses).toEqual(
    expect.arrayContaining([...Object.keys(LOSSES_OF_ANSWERS), ...Object.keys(LOSSES_THAT_ASK)]),
  );
  expect(kinds).toEqual(expect.arrayContaining(Object.values(LOSSES_OF_ANSWERS).flat()));
});

it('every target has a loss, towards its labels or its teacher', () => {
  for (const { kind } of targets())
    expect(
      allObjectives().some(
        (loss) => LOSSES_OF_ANSWERS[loss.kind] !== undefined && lossFits(loss, kind) === 'yes',
      ),
      kind,
    ).toBe(true);
});
