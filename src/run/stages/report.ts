import type { ObjectiveContext } from '../../objectives/objective.ts';
import { readCurve, readMetricsLog } from '../../report/metrics-log.ts';
import type { GraphReport, ReportData } from '../../report/report-data.ts';
import {
  compareModels,
  LABELS_ALONE,
  type ModelResult,
  type RunResult,
  type TrainResult,
} from '../../report/result.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import { artifact } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { readKnowledgeGraph, wantedSamples } from '../knowledge/knowledge-graph.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import { reportFacts, studentTitle } from '../reporting/report-facts.ts';
import { runFacts } from '../reporting/run-facts.ts';
import type { Lessons } from '../teaching/lessons.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { DATA } from './data.ts';
import { EVALUATIONS, MEASURED_STUDENT } from './evaluate.ts';
import { TOLD_STAGES } from './given.ts';
import { type LabelFinding, LESSONS } from './label.ts';
import { notMeasured, stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const RESULT = artifact<RunResult>('result');

/** Writes `result.json`, `report.html` and the model card. */
export const reportStage = stage({
  name: 'report',
  about: 'write this page',
  needs: { data: DATA, teacher: TEACHER, evaluations: EVALUATIONS, lessons: LESSONS, stages: TOLD_STAGES },
  makes: RESULT,
  title: () => 'Write the report',
  async run(run, inputs) {
    const { folder } = run;
    const known = await collectReportData(run, inputs);
    // The seconds so far: of this stage only the drawing is missing in its own result.
    run.clock.keep();
    const result = collectResult(run, inputs);
    // Loaded when it is wanted: it is a tenth of what a page loads.
    const { REPORT_FILES, writeReportFiles } = await import('../reporting/report-files.ts');
    const summary = writeReportFiles(folder.path, { ...known, result });
    folder.keep(...REPORT_FILES);
    return { value: result, summary };
  },
  plan: async (context) => notMeasured(context, 'report', 'a page, in a moment'),
});

export const TRAIN_RESULT = artifact<TrainResult>('train-result');

/** The same of a training on labels alone. */
export const trainReportStage = stage({
  name: 'report',
  about: 'write this page',
  needs: { data: DATA, measured: MEASURED_STUDENT, stages: TOLD_STAGES },
  makes: TRAIN_RESULT,
  title: () => 'Write the report',
  async run(run, { data, measured: { answers, ...measured }, stages }) {
    const { folder } = run;
    const facts = reportFacts(run, data);
    const curve = await readCurve(readMetricsLog(folder.file('metrics.jsonl')), 'train');
    run.clock.keep();
    const result: TrainResult = { ...measured, ...runFacts(run, 'train', stages) };
    const student = studentTitle(run);
    const report = {
      taughtBy: 'labels' as const,
      stages: [...stages],
      ...facts,
      ...answers,
      student,
      curve,
      result,
    };
    // Loaded when it is wanted: it is a tenth of what a page loads.
    const { REPORT_FILES, writeReportFiles } = await import('../reporting/report-files.ts');
    const summary = writeReportFiles(folder.path, report);
    folder.keep(...REPORT_FILES);
    return { value: result, summary };
  },
  // A page, in a moment.
  plan: async () => undefined,
});

interface ReportInputs {
  readonly data: TaskData;
  readonly teacher: TrainedTeacher;
  readonly evaluations: Evaluations;
  readonly lessons: Lessons;
  readonly stages: readonly ToldStage[];
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
    ...runFacts(run, 'distill', inputs.stages),
  };
}

async function collectReportData(run: RunContext, inputs: ReportInputs): Promise<Omit<ReportData, 'result'>> {
  const { data, teacher, evaluations } = inputs;
  const metrics = run.folder.file('metrics.jsonl');
  const curve = (stage: string) => readCurve(readMetricsLog(metrics), stage);
  return {
    ...reportFacts(run, data),
    models: { teacher: teacher.title, student: studentTitle(run) },
    teacherValidationAccuracy: teacher.validation?.accuracy ?? null,
    curves: {
      student: await curve('train'),
      baseline: labelsAlone(evaluations) ? await curve('baseline') : null,
    },
    ...evaluations.comparison,
    knowledgeGraph: graphReport(run, inputs.lessons.context),
    stages: [...inputs.stages],
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
