import { LimbeckError } from '../../errors.ts';
import type { SplitSizes } from '../splits/split-assignment.ts';

/** Refuses sizes of splits that are none. @throws LimbeckError `data.options` */
export function checkSizes(splits: SplitSizes | undefined, labelsPerClass: number | 'all'): void {
  const complain = (problem: string, remedy: string) => {
    throw new LimbeckError('data.options', problem, { where: 'data', remedy });
  };
  for (const [name, size] of Object.entries(splits ?? {})) {
    if (typeof size === 'number' && !(size >= 0 && (size < 1 || Number.isInteger(size)))) {
      complain(`splits.${name} is ${size}`, 'Give a count of samples, or a fraction below 1.');
    }
  }
  if (labelsPerClass !== 'all' && !(Number.isInteger(labelsPerClass) && labelsPerClass > 0)) {
    complain(`labelsPerClass is ${labelsPerClass}`, "Give a count above 0, or 'all'.");
  }
}
