import { existsSync } from 'node:fs';
import type { Dataset, DatasetStatistics } from '../../data/dataset.ts';
import { summarizeLengths } from '../../data/text-lengths.ts';
import { LimbeckError } from '../../errors.ts';
import type { ObjectiveContext } from '../../objectives/objective.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { renderReport } from '../../report/html/page.ts';
import { readCurve, readMetricsLog } from '../../report/metrics-log.ts';
import { renderModelCard } from '../../report/model-card.ts';
import {
  type DataStatistics,
  type GraphReport,
  type ReportData,
  reportDataSchema,
} from '../../report/report-data.ts';
import {
  compareModels,
  int8Ships,
  LABELS_ALONE,
  type ModelResult,
  type RunResult,
} from '../../report/result.ts';
import { requireKept } from '../kept-files.ts';
import { readKnowledgeGraph, wantedSamples } from '../knowledge-graph.ts';
import { rejectInt8 } from '../rejected-int8.ts';
import { type RunContext, runStage } from '../run-context.ts';
import { runFacts } from '../run-facts.ts';
import { filesOf } from '../run-state.ts';
import { readDynamics } from '../sample-dynamics.ts';
import type { TaskData } from '../tasks/task.ts';
import type { Evaluations, StudentEvaluation } from './evaluate.ts';
import type { LabelFinding } from './label.ts';
import type { TrainedTeacher } from './teacher.ts';

export interface ReportInputs {
  readonly data: TaskData;
  readonly teacher: TrainedTeacher;
  readonly evaluations: Evaluations;
  readonly context: ObjectiveContext;
}

/** Everything that the page and the card are drawn from, so that they can be drawn again. */
const DATA_FILE = 'report.json';
const REMEDY =
  'Delete report.json and result.json and run the same `limbeck distill` again: it only measures and reports anew.';

/** Writes `result.json`, `report.html` and the model card. */
export function reportStage(run: RunContext, inputs: ReportInputs): Promise<RunResult> {
  return runStage(run, 'report', 'Write the report', async () => {
    const { folder } = run;
    const known = await collectReportData(run, inputs);
    // The seconds so far: of this stage only the drawing is missing in its own result.
    run.clock.keep();
    const result = collectResult(run, inputs);
    const data: ReportData = { ...known, result };
    replaceFile(folder.file(DATA_FILE), JSON.stringify(data), 'run');
    drawReport(folder.path, data);
    replaceFile(folder.file('result.json'), `${JSON.stringify(result, null, 2)}\n`, 'run');
    folder.keep(DATA_FILE, 'result.json');
    return { value: result, summary: folder.file('report.html') };
  });
}

/** Whether a run has come so far that its report can be drawn anew. */
export function hasReport(runFolder: string): boolean {
  return existsSync(`${runFolder}/${DATA_FILE}`);
}

/** Draws report.html and the model card anew from what a finished run's folder holds. */
export function redrawReport(runFolder: string): string {
  const file = `${runFolder}/${DATA_FILE}`;
  if (!hasReport(runFolder)) {
    throw new LimbeckError('run.unfinished', 'this folder has no finished run', {
      where: file,
      remedy: 'Let the run finish first: `limbeck distill` with its recipe and this folder.',
    });
  }
  requireKept(runFolder, filesOf(runFolder), DATA_FILE, REMEDY);
  return drawReport(runFolder, readReportData(file));
}

/**
 * Puts the measurements of an export that was done again into `report.json` and `result.json`, and draws both anew. Times
 * stay: those of the run were taken side by side with the teacher's.
 */
export function updateReport(runFolder: string, measured: StudentEvaluation): void {
  const file = `${runFolder}/${DATA_FILE}`;
  const data = readReportData(file);
  const { teacher, student, studentInt8 } = data.result;
  const timedAsBefore = (now: ModelResult, before: ModelResult | null): ModelResult => {
    if (!before) return now;
    const { latencyMs, throughput, attributionCosine } = before;
    return {
      ...now,
      latencyMs,
      throughput,
      ...(attributionCosine === undefined ? {} : { attributionCosine }),
    };
  };
  const models = {
    teacher,
    student: timedAsBefore(measured.student, student),
    studentInt8: measured.studentInt8 && timedAsBefore(measured.studentInt8, studentInt8),
  };
  const result: RunResult = { ...data.result, ...measured, ...models, ...compareModels(models) };
  const updated = { ...data, result };
  replaceFile(file, JSON.stringify(updated), 'run');
  drawReport(runFolder, updated);
  replaceFile(`${runFolder}/result.json`, `${JSON.stringify(result, null, 2)}\n`, 'run');
}

function readReportData(file: string): ReportData {
  try {
    return reportDataSchema.parse(JSON.parse(readRegularText(file)));
  } catch (cause) {
    throw new LimbeckError('run.damaged', 'the report data is not what this version writes', {
      where: file,
      remedy: REMEDY,
      cause,
    });
  }
}

function drawReport(runFolder: string, data: ReportData): string {
  // Runs of earlier versions left the file of a shut gate where it would ship.
  if (!int8Ships(data.result)) rejectInt8(runFolder);
  const page = `${runFolder}/report.html`;
  replaceFile(page, renderReport(data), 'run');
  if (existsSync(`${runFolder}/student`)) {
    const { export: exported, data: texts } = parseRecipe(data.recipe, { file: 'recipe.resolved.yaml' });
    const card = renderModelCard(data, {
      license: exported.license,
      languages: exported.languages,
      maxLength: texts.maxLength,
    });
    replaceFile(`${runFolder}/student/README.md`, card, 'run');
  }
  return page;
}

function collectResult(run: RunContext, inputs: ReportInputs): RunResult {
  const { folder } = run;
  const { comparison: _, ...measured } = inputs.evaluations;
  const { teacher, student, studentInt8, baselines } = measured;
  const models = { teacher, student, studentInt8 };
  const finding = folder.finding<LabelFinding>('label');
  const teacherCalls = finding?.teacherCalls ?? 0;
  return {
    ...measured,
    baselines: [...baselines],
    baseline: labelsAlone(measured),
    ...compareModels(models),
    teacherCalls,
    teacherCallsSaved: finding?.reused ?? Math.max(0, inputs.data.asked.size - teacherCalls),
    ...runFacts(run, 'distill'),
  };
}

async function collectReportData(run: RunContext, inputs: ReportInputs): Promise<Omit<ReportData, 'result'>> {
  const { folder, recipe } = run;
  const { data, teacher, evaluations } = inputs;
  const { dataset } = data;
  const metrics = folder.file('metrics.jsonl');
  const curve = (stage: string) => readCurve(readMetricsLog(metrics), stage);
  return {
    name: recipe.name,
    unit: data.task.unit,
    finishedAt: new Date().toISOString(),
    labels: [...dataset.labels],
    models: { teacher: teacher.title, student: studentTitle(run) },
    teacherValidationAccuracy: teacher.validation?.accuracy ?? null,
    curves: {
      student: await curve('train'),
      baseline: labelsAlone(evaluations) ? await curve('baseline') : null,
    },
    ...evaluations.comparison,
    data: dataStatistics(dataset),
    knowledgeGraph: graphReport(run, inputs.context),
    dynamics: readDynamics(run),
    warnings: folder.warnings.map((message) => ({ message, level: 'warning' as const })),
    recipe: readRegularText(folder.file('recipe.resolved.yaml')),
  };
}

/** The student that learnt from the labels alone; null without one. */
function labelsAlone({ baselines }: Pick<Evaluations, 'baselines'>): ModelResult | null {
  return baselines.find(({ name }) => name === LABELS_ALONE.name)?.result ?? null;
}

function graphReport({ folder, recipe }: RunContext, { models }: ObjectiveContext): GraphReport | undefined {
  const wanted = recipe.knowledge;
  const graph = wantedSamples(wanted) === undefined ? undefined : readKnowledgeGraph(folder.path);
  if (!graph || !models) return undefined;
  const { student, teacher, layers } = models;
  return {
    graph,
    layers: layers.map((pair) => ({
      student: student.layers[pair.student]?.name ?? `${pair.student}`,
      teacher: teacher.layers[pair.teacher]?.name ?? `${pair.teacher}`,
      weight: pair.weight,
    })),
    chosenBy: typeof wanted.layers === 'string' ? wanted.layers : 'recipe',
  };
}

function studentTitle({ recipe }: RunContext): string {
  const { kind, ...options } = recipe.student;
  const numbers = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  return `${kind} (${numbers.join(', ')})`;
}

function dataStatistics(dataset: Dataset): DataStatistics {
  const { splits, statistics, title } = dataset;
  const { train, labelled, validation, test } = splits;
  return {
    title,
    rows: statistics.rows,
    splits: { train: train.size, validation: validation.size, test: test.size },
    labelled: labelled.size,
    broken: statistics.broken.count,
    brokenExamples: statistics.broken.first.map(({ where, problem }) => ({ where, problem })),
    duplicates: statistics.duplicates,
    lengths: lengthHistogram(statistics),
    cut: summarizeLengths(statistics.tokenLengths, statistics.longTexts)?.cut ?? 0,
  };
}

const LENGTH_STEP = 4;

function lengthHistogram({ tokenLengths }: DatasetStatistics): DataStatistics['lengths'] {
  const bars: DataStatistics['lengths'] = [];
  for (let from = 0; from < tokenLengths.length; from += LENGTH_STEP) {
    const counts = tokenLengths.slice(from, from + LENGTH_STEP);
    bars.push({ from, to: from + LENGTH_STEP, count: counts.reduce((sum, count) => sum + count, 0) });
  }
  return bars;
}
