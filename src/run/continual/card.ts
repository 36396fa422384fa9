import { replaceFile } from '../../replace-file.ts';
import type { ContinualResult } from '../../report/continual-result.ts';
import { renderModelCard } from '../../report/model-card.ts';
import type { ReportData } from '../../report/report-data.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import { cardFacts } from '../reporting/card-facts.ts';
import { reportedOutputs, reportFacts, studentTitle } from '../reporting/report-facts.ts';
import { runFacts } from '../reporting/run-facts.ts';
import type { DividedRun } from './continual-run.ts';

/** The model card of the student that a continual run leaves. */
export function writeTaskCard(
  { run, data, tasks }: DividedRun,
  { method, ...measured }: NonNullable<ContinualResult['shipped']>,
  { sections, stages }: Pick<Evaluations, 'sections'> & { readonly stages: readonly ToldStage[] },
): void {
  const report: ReportData = {
    ...reportFacts(run, data),
    models: { student: `${studentTitle(run)}, taught ${tasks.length} tasks one after another (${method})` },
    teacherValidation: null,
    curves: { student: [], baseline: null },
    validation: { student: [], baseline: null },
    outputs: reportedOutputs(data, sections),
    result: { ...measured, ...runFacts(run, 'continual', stages) },
  };
  const card = renderModelCard(report, cardFacts(run.recipe));
  replaceFile(run.folder.file('student', 'README.md'), card, 'run');
}
