import type { Dataset } from '../../data/dataset.ts';
import type { KeptName } from '../../data/splits/kept-difference.ts';
import {
  compareSplits,
  decodeKeptSplits,
  encodeKeptSplits,
  type KeptSplits,
  keepSplits,
  sameSplit,
} from '../../data/splits/kept-splits.ts';
import { LimbeckError } from '../../errors.ts';
import { existsSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { readRegularFile } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import type { TaskData } from '../context/task.ts';

const FILE = 'splits.bin';

/** Writes which samples are in which split of a run, if its folder does not say it of these data yet. */
export function writeKeptSplits(runFolder: string, dataset: Dataset): void {
  if (readKeptSplits(runFolder)?.contentHash === dataset.contentHash) return;
  replaceFile(join(runFolder, FILE), [encodeKeptSplits(keepSplits(dataset))], 'run');
}

/** Which samples are in which split of a run; undefined where its folder does not say it. */
export function readKeptSplits(runFolder: string): KeptSplits | undefined {
  const file = join(runFolder, FILE);
  return existsSync(file) ? decodeKeptSplits(readRegularFile(file)) : undefined;
}

/** How data differ from those of a run, in words; '' where its folder does not say what those were. */
export function changeOfData(runFolder: string, dataset: Dataset): string {
  const kept = readKeptSplits(runFolder);
  if (!kept) return '';
  const { gone, added, moved } = compareSplits(kept, keepSplits(dataset));
  const counts = [
    gone > 0 && `${gone} samples are gone`,
    added > 0 && `${added} are new`,
    moved > 0 && `${moved} would be in another split`,
  ].filter((count) => count !== false);
  return counts.length > 0 ? counts.join(', ') : 'the same samples have other labels, or another order';
}

/**
 * The data of a finished run, with the split of which a measurement is wanted as it was in the run, whatever became of
 * the files since: rows that were moved, renamed or added change nothing.
 *
 * @throws LimbeckError `run.other-data` when samples of that split are gone or have another label; nothing else is ever
 * measured in their place
 */
export async function dataAsInRun(
  prepare: (kept?: KeptSplits) => Promise<TaskData>,
  runFolder: string,
  split: KeptName,
): Promise<TaskData> {
  const kept = readKeptSplits(runFolder);
  if (!kept) {
    throw new LimbeckError('run.no-splits', 'the run does not say which samples it tested on', {
      where: join(runFolder, FILE),
      remedy:
        'It was made by an older version of Limbeck, or the file is damaged: run it again in another folder (--out).',
    });
  }
  const data = await prepare();
  if (data.dataset.contentHash === kept.contentHash) return data;
  try {
    const now = keepSplits(data.dataset);
    const sameClasses = now.labels.join('\n') === kept.labels.join('\n');
    if (sameClasses && sameSplit(now.splits[split], kept.splits[split])) return data;
  } catch (error) {
    data.dataset.close();
    throw error;
  }
  data.dataset.close();
  const asKept = await prepare(kept);
  const difference = asKept.dataset.statistics.kept;
  const [missing, relabelled] = [difference?.missing[split] ?? 0, difference?.relabelled[split] ?? 0];
  if (missing === 0 && relabelled === 0) return asKept;
  asKept.dataset.close();
  const size = kept.splits[split].hashes.length;
  const problems = [
    missing > 0 && `${missing} of the run's ${size} ${split} samples are no longer there`,
    relabelled > 0 && `${relabelled} of its ${size} ${split} samples have another label`,
  ].filter((problem) => problem !== false);
  throw new LimbeckError(
    'run.other-data',
    `the data are not those that the run was made of: ${problems.join(', ')} (${difference?.added ?? 0} are new)`,
    {
      where: runFolder,
      remedy: 'Bring the data of before back, or run the recipe again in another folder (--out).',
    },
  );
}
