import { replaceFile } from '../../replace-file.ts';
import type { ContinualResult } from '../../report/continual-result.ts';
import { renderModelCard } from '../../report/model-card.ts';
import type { StudentAnswers } from '../../report/train-report.ts';
import { runFacts } from '../run-facts.ts';
import { reportFacts, studentTitle } from '../stages/report-facts.ts';
import type { ContinualRun } from './continual-run.ts';

/** The model card of the student that a continual run leaves. */
export function writeTaskCard(
  { run, data, tasks }: ContinualRun,
  { method, ...measured }: NonNullable<ContinualResult['shipped']>,
  answers: StudentAnswers,
): void {
  const { export: exported, data: texts } = run.recipe;
  const report = {
    taughtBy: 'labels' as const,
    ...reportFacts(run, data),
    ...answers,
    student: `${studentTitle(run)}, taught ${tasks.length} tasks one after another (${method})`,
    curve: [],
    result: { ...measured, ...runFacts(run, 'continual') },
  };
  const card = renderModelCard(report, {
    license: exported.license,
    languages: exported.languages,
    maxLength: texts.maxLength,
  });
  replaceFile(run.folder.file('student', 'README.md'), card, 'run');
}
