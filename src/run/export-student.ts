import { readdirSync, statSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import type { ExportOptions, ExportResult } from './api.ts';
import { reopenRun } from './context/finished-run.ts';
import { openRun, type RunContext } from './context/run-context.ts';
import { isClassifier } from './heads/recipe-heads.ts';
import { hasReport, updateAnswersReport, updateReport } from './redraw-report.ts';
import { REPORT_FILES } from './reporting/report-files.ts';
import { ANSWERS_EVALUATION } from './stages/answers-evaluate.ts';
import { MEASURED_STUDENT } from './stages/evaluate.ts';
import { ANSWERS_EXPORT, EXPORT } from './stages/index.ts';
import { runStages } from './stages/runner.ts';

/** Writes the student of a run anew from its checkpoint, and measures what the gate asks. */
export async function exportStudent(runFolder: string, options: ExportOptions): Promise<ExportResult> {
  const { recipe, options: runOptions } = reopenRun(runFolder);
  const run = await openRun(recipe, { ...runOptions, ...options });
  try {
    const folder = run.folder.file('student');
    const { measured, update } = await measuredAgain(run);
    if (hasReport(run.folder.path)) {
      update();
      run.folder.keep(...REPORT_FILES);
    }
    return {
      folder,
      files: listFiles(folder),
      gate: measured.gate,
    };
  } finally {
    await run.close();
  }
}

/** Exports and measures the student, and how its report is brought up to it. */
async function measuredAgain(
  run: RunContext,
): Promise<{ measured: { gate: ExportResult['gate'] }; update: () => void }> {
  const { path } = run.folder;
  if (!isClassifier(run.recipe)) {
    const wanted = { evaluation: ANSWERS_EVALUATION };
    const { evaluation } = await runStages(run, ANSWERS_EXPORT, wanted);
    const { gate } = evaluation;
    return {
      measured: { gate },
      update: () => updateAnswersReport(path, evaluation),
    };
  }
  const { answers: _, ...measured } = (await runStages(run, EXPORT, { student: MEASURED_STUDENT })).student;
  return { measured, update: () => updateReport(path, measured) };
}

function listFiles(folder: string): ExportResult['files'] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => ({ path, stat: statSync(join(folder, path)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ path, stat }) => ({ path, bytes: stat.size }))
    .sort((a, b) => a.path.localeCompare(b.path));
}
