import { NOT_DRAWN, type SampleTable, TRAIN } from '../splits/split-assignment.ts';

/** Leaves all but the first `count` training samples out, in the order of their hashes. */
export function keepFirst(table: SampleTable, count: number): void {
  const train = Array.from({ length: table.size }, (_, sample) => sample)
    .filter((sample) => table.split(sample) === TRAIN)
    .sort((a, b) => table.groupHash(a) - table.groupHash(b));
  for (const sample of train.slice(count)) table.assign(sample, NOT_DRAWN);
}
