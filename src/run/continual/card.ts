import { replaceFile } from '../../replace-file.ts';
import type { ContinualResult } from '../../report/continual-result.ts';
import { renderModelCard } from '../../report/model-card.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import type { StudentAnswers } from '../../report/train-report.ts';
import { reportFacts, studentTitle } from '../reporting/report-facts.ts';
import { runFacts } from '../reporting/run-facts.ts';
import type { DividedRun } from './continual-run.ts';

/** The model card of the student that a continual run leaves. */
export function writeTaskCard(
  { run, data, tasks }: DividedRun,
  { method, ...measured }: NonNullable<ContinualResult['shipped']>,
  { answers, stages }: { readonly answers: StudentAnswers; readonly stages: readonly ToldStage[] },
): void {
  const { export: exported, data: texts } = run.recipe;
  const report = {
    taughtBy: 'labels' as const,
    ...reportFacts(run, data),
    ...answers,
    student: `${studentTitle(run)}, taught ${tasks.length} tasks one after another (${method})`,
    curve: [],
    result: { ...measured, ...runFacts(run, 'continual', stages) },
  };
  const card = renderModelCard(report, {
    license: exported.license,
    languages: exported.languages,
    maxLength: texts.maxLength,
  });
  replaceFile(run.folder.file('student', 'README.md'), card, 'run');
}
