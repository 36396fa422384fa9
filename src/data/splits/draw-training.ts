import { mixSeed } from '../../random.ts';
import { classQuotas } from './class-quotas.ts';
import { LabelSelection } from './label-selection.ts';
import { NOT_DRAWN, type SampleTable, type SplitSizes, TRAIN } from './split-assignment.ts';

/** A table whose samples have keys. */
export type KeyedTable = SampleTable & { key(sample: number): Uint8Array };

/** The training samples that keep their label; undefined for all. */
export function selectLabelled(
  table: KeyedTable,
  labelsPerClass: number | 'all',
  seed: number,
): Set<number> | undefined {
  if (labelsPerClass === 'all') return undefined;
  const selection = new LabelSelection(labelsPerClass, seed);
  for (let sample = 0; sample < table.size; sample++) {
    if (table.split(sample) !== TRAIN || table.label(sample) < 0) continue;
    selection.offer(sample, table.label(sample), table.key(sample));
  }
  return selection.chosen();
}

/**
 * Leaves all but `splits.train` training samples out: those that keep a label stay, the others are drawn by the seed; where
 * all keep their label, each class (and what has none) has its part.
 *
 * @param names of the classes, by their number in the table
 */
export function drawTraining(
  table: KeyedTable,
  { train: wanted, stratified }: SplitSizes,
  labelled: ReadonlySet<number> | undefined,
  names: readonly string[],
  seed: number,
): void {
  if (wanted === undefined) return;
  const kept = labelled ?? new Set<number>();
  const byClass = labelled === undefined && stratified !== false && names.length > 0;
  const open = function* () {
    for (let sample = 0; sample < table.size; sample++)
      if (table.split(sample) === TRAIN && !kept.has(sample)) yield sample;
  };
  // Samples without a label are a class more.
  const classOf = (sample: number) => (byClass ? table.label(sample) + 1 : 0);
  const counts = new Array<number>(byClass ? names.length + 1 : 1).fill(0);
  for (const sample of open()) (counts[classOf(sample)] as number)++;
  const places = Math.max(0, wanted - kept.size);
  const quotas = byClass
    ? classQuotas(
        counts.map((count, i) => ({ name: names[i - 1] ?? '', count })),
        places,
        0,
      )
    : [places];
  const selections = quotas.map((quota) => new LabelSelection(quota, mixSeed(seed, 'training-samples')));
  for (const sample of open()) selections[classOf(sample)]?.offer(sample, 0, table.key(sample));
  const drawn = new Set(selections.flatMap((selection) => [...selection.chosen()]));
  for (const sample of open()) if (!drawn.has(sample)) table.assign(sample, NOT_DRAWN);
}
