import { readdirSync, statSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import { studentShips } from '../report/runtime-gates.ts';
import type { ExportOptions, ExportResult } from './api.ts';
import { reopenRun } from './context/finished-run.ts';
import { openRun } from './context/run-context.ts';
import { hasReport, updateReport } from './redraw-report.ts';
import { REPORT_FILES } from './reporting/report-files.ts';
import { REJECTED_STUDENT } from './shipping/rejected-student.ts';
import { EVALUATIONS } from './stages/evaluate.ts';
import { EXPORT } from './stages/index.ts';
import { runStages } from './stages/runner.ts';

/** Writes the student of a run anew from its checkpoint, and measures what the gate asks. */
export async function exportStudent(runFolder: string, options: ExportOptions): Promise<ExportResult> {
  const { recipe, options: runOptions } = reopenRun(runFolder);
  const run = await openRun(recipe, { ...runOptions, ...options });
  try {
    const { measured } = await runStages(run, EXPORT, { measured: EVALUATIONS });
    if (hasReport(run.folder.path)) {
      updateReport(run.folder.path, measured);
      run.folder.keep(...REPORT_FILES);
    }
    const folder = run.folder.file(studentShips(measured) ? 'student' : REJECTED_STUDENT);
    return {
      folder,
      files: listFiles(folder),
      gate: measured.gate,
      ...(measured.runtimeGates && { runtimeGates: measured.runtimeGates }),
      ...(measured.further && { further: measured.further }),
      metrics: measured.metrics,
    };
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
