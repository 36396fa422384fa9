import type { MetricsRow } from '../../train/training-progress.ts';

/**
 * Whether a training pleases its teacher alone: so many evaluations in a row were each worse than the one before, while the training
 * loss fell over them.
 *
 * @param rows of metrics, with `loss` and `validation`
 * @param validation the name of what is measured
 */
export function pleasesAlone(
  rows: readonly MetricsRow[],
  {
    validation,
    better,
    patience,
  }: { readonly validation: string; readonly better: 'higher' | 'lower'; readonly patience: number },
): boolean {
  const last = rows.slice(-(patience + 1));
  if (last.length <= patience) return false;
  const values = last.map((row) => row[validation] as number);
  const worse = (now: number, before: number) => (better === 'lower' ? now > before : now < before);
  const isWorsening = values.slice(1).every((value, i) => worse(value, values[i] as number));
  return isWorsening && (last.at(-1)?.loss as number) < (last[0]?.loss as number);
}
