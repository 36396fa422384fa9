import { readdirSync, statSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import type { ExportOptions, ExportResult } from './api.ts';
import { reopenRun } from './finished-run.ts';
import { hasReport, REPORT_FILES, updateReport } from './report-files.ts';
import { openRun } from './run-context.ts';
import { dataStage } from './stages/data.ts';
import { evaluateStudent } from './stages/evaluate.ts';
import { exportStage } from './stages/export.ts';
import { finishedStudent } from './stages/train.ts';
import { openTask } from './tasks/index.ts';

/** Writes the student of a run anew from its checkpoint, and measures what the gate asks. */
export async function exportStudent(runFolder: string, options: ExportOptions): Promise<ExportResult> {
  const { recipe, options: runOptions } = reopenRun(runFolder);
  const run = await openRun(recipe, { ...runOptions, ...options });
  try {
    const data = await dataStage(run, await openTask(run));
    try {
      const student = finishedStudent(run, data);
      const shipped = await exportStage(run, { data, student, baseline: null });
      const { answers: _, ...measured } = await evaluateStudent(run, data, shipped);
      const folder = run.folder.file('student');
      if (hasReport(run.folder.path)) {
        updateReport(run.folder.path, measured);
        run.folder.keep(...REPORT_FILES);
      }
      return {
        folder,
        files: listFiles(folder),
        gate: measured.gate,
      };
    } finally {
      data.dataset.close();
    }
  } finally {
    await run.close();
  }
}

function listFiles(folder: string): ExportResult['files'] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => ({ path, stat: statSync(join(folder, path)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ path, stat }) => ({ path, bytes: stat.size }))
    .sort((a, b) => a.path.localeCompare(b.path));
}
