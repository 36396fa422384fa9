import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { isPackage } from '../../export/package-folder.ts';
import { existsSync } from '../../platform/files.ts';
import type { ContinualMethod } from '../../recipe/continual.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { type ContinualResult, continualResultSchema, methodResults } from '../../report/continual-result.ts';
import { renderContinualReport } from '../../report/html/continual-page.ts';
import { shippingPrecisions } from '../../report/result.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import { VERSION } from '../../version.ts';
import { artifact, optional } from '../context/artifact.ts';
import { describeMachine } from '../context/machine.ts';
import type { RunFolder } from '../folder/run-folder.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import { studentTitle } from '../reporting/report-facts.ts';
import { EVALUATIONS } from '../stages/evaluate.ts';
import { TOLD_STAGES } from '../stages/given.ts';
import { type Stage, stage } from '../stages/stage.ts';
import { writeTaskCard } from './card.ts';
import type { DividedRun } from './continual-run.ts';
import { DIVIDED } from './divide-stage.ts';
import type { MethodMatrices } from './learn.ts';
import { bestOf, learntByAll } from './ship.ts';

/** Everything that the page is drawn from, so that it can be drawn again. */
const DATA_FILE = 'continual.json';

const reportSchema = z.object({
  result: continualResultSchema,
  finishedAt: z.string(),
  warnings: z.array(z.string()),
  recipe: z.string(),
});

export const CONTINUAL_RESULT = artifact<ContinualResult>('continual-result');

/** Writes `result.json`, `continual.json`, `report.html`, and the model card of the student that ships. */
export function continualReportStage(methods: readonly ContinualMethod[]): Stage {
  return stage({
    name: 'report',
    about: 'write this page',
    needs: {
      divided: DIVIDED,
      measured: optional(EVALUATIONS),
      stages: TOLD_STAGES,
      ...learntByAll(methods),
    },
    makes: CONTINUAL_RESULT,
    title: () => 'Write the report',
    async run(run, { divided, measured, stages, ...learnt }) {
      const matrices = Object.values(learnt);
      const shipped = measured && shippedResult(divided, bestOf(matrices).method, measured, stages);
      run.clock.keep();
      const result: ContinualResult = { ...collectResult(divided, matrices), ...(shipped && { shipped }) };
      const report = {
        result,
        finishedAt: new Date().toISOString(),
        warnings: run.folder.warnings,
        recipe: readRegularText(run.folder.file('recipe.resolved.yaml')),
      };
      replaceFile(run.folder.file(DATA_FILE), JSON.stringify(report), 'run');
      replaceFile(run.folder.file('report.html'), renderContinualReport(report), 'run');
      replaceFile(run.folder.file('result.json'), `${JSON.stringify(result, null, 2)}\n`, 'run');
      run.folder.keep(DATA_FILE, 'result.json');
      return { value: result, summary: run.folder.file('report.html') };
    },
    plan: async () => undefined,
  });
}

/** What the student that ships was measured at; writes its card. */
function shippedResult(
  divided: DividedRun,
  method: ContinualMethod,
  { sections, baselines: _, ...measured }: Evaluations,
  stages: readonly ToldStage[],
): NonNullable<ContinualResult['shipped']> {
  const shipped = { method, ...measured };
  writeTaskCard(divided, shipped, { sections, stages });
  return shipped;
}

/** Draws report.html anew from what a finished continual run's folder holds; undefined where it holds none. */
export function redrawContinual(runFolder: string): string | undefined {
  const file = `${runFolder}/${DATA_FILE}`;
  if (!existsSync(file)) return undefined;
  const page = `${runFolder}/report.html`;
  replaceFile(page, renderContinualReport(readReport(file)), 'run');
  return page;
}

function readReport(file: string): z.output<typeof reportSchema> {
  try {
    return reportSchema.parse(JSON.parse(readRegularText(file)));
  } catch (cause) {
    throw new LimbeckError('run.damaged', 'the report data is not what this version writes', {
      where: file,
      remedy: `Delete ${DATA_FILE} and result.json and run the same \`limbeck continual\` again: it only reports anew.`,
      cause,
    });
  }
}

/** The result of a run that is finished and whole; undefined otherwise. */
export function finishedContinual(folder: RunFolder): ContinualResult | undefined {
  if (!existsSync(folder.file('result.json')) || !existsSync(folder.file('report.html'))) return undefined;
  if (folder.problemOf('result.json') !== undefined) return undefined;
  try {
    const result = continualResultSchema.parse(JSON.parse(readRegularText(folder.file('result.json'))));
    const { shipped } = result;
    if (!shipped) return result;
    // A student that was damaged or is gone is written again.
    if (folder.problemOf('student') !== undefined) return undefined;
    return isPackage(folder.file('student'), shippingPrecisions(shipped)) ? result : undefined;
  } catch {
    // Of another version, or damaged: reporting again costs little.
    return undefined;
  }
}

function collectResult(of: DividedRun, measured: readonly MethodMatrices[]): ContinualResult {
  const { run, data, tasks, samples, options } = of;
  const { recipe, engine, folder } = run;
  const { labels } = data.dataset;
  return {
    name: recipe.name,
    unit: data.task.unit,
    setting: options.setting,
    tasks: tasks.map((classes, task) => ({
      classes: classes.map((label) => labels[label]),
      train: samples.train[task].size,
      validation: samples.validation[task].size,
      test: samples.test[task].size,
    })),
    methods: methodResults(measured),
    student: studentTitle(run),
    seconds: Object.values(folder.seconds).reduce((sum, part) => sum + part, 0),
    seed: recipe.seed,
    command: run.options.command ?? `limbeck continual ${recipe.name}.yaml`,
    engine: engine.title,
    machine: describeMachine(),
    version: VERSION,
  };
}
