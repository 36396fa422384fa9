import { resolve } from '../platform/paths.ts';
import { redrawContinual } from './continual/report.ts';
import { redrawReport } from './redraw-report.ts';

/** Writes report.html (and the model card) anew from what the folder of a finished run holds. */
export async function writeReport(runFolder: string): Promise<{ file: string }> {
  const folder = resolve(runFolder);
  return { file: redrawContinual(folder) ?? redrawReport(folder) };
}
