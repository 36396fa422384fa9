import type { Dataset } from '../../data/dataset.ts';
import { percent } from '../../percent.ts';
import type { Head } from '../../targets/head.ts';
import { sidesOf } from '../heads/pair-sides.ts';

/**
 * Samples that are counted with the pairs of a data set and are none, since a side is missing: a sentence where there are some.
 *
 * @param heads outputs, of which pairs have sides
 */
export function pairFindings({
  dataset,
  heads,
}: {
  readonly dataset: Pick<Dataset, 'statistics' | 'inputs'>;
  readonly heads: readonly Pick<Head, 'output' | 'target'>[];
}): string[] {
  const pairs = heads.find(({ target }) => target.kind === 'pairs');
  const { rows, broken, inputs = {} } = dataset.statistics;
  const samples = rows - broken.count;
  if (!pairs || samples === 0) return [];
  const lacking = [...sidesOf(dataset.inputs).values()].flatMap((side) => {
    const { missing = 0, firstMissing } = inputs[side] ?? {};
    const first = firstMissing === undefined ? '' : `; the first: ${firstMissing}`;
    return missing > 0
      ? [`${missing} ${missing === 1 ? 'has' : 'have'} no '${side}' (${percent(missing / samples)}${first})`]
      : [];
  });
  if (lacking.length === 0) return [];
  return [
    `of ${samples} samples ${lacking.join(', and ')}: they are counted among the samples and are no pairs. What compares both sides of '${pairs.output}' leaves them out; a loss or a teacher that looks at one side still takes those that have it`,
  ];
}
