import type { ObjectiveContext } from '../../objectives/objective.ts';
import { readCurve, readMetricsLog, readValidation } from '../../report/metrics-log.ts';
import type { GraphReport, ReportData } from '../../report/report-data.ts';
import { compareModels, LABELS_ALONE, type RunResult, type TrainResult } from '../../report/result.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import { artifact, optional } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { selectedMetric } from '../heads/head-metrics.ts';
import { readKnowledgeGraph, wantedSamples } from '../knowledge/knowledge-graph.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import { reportedOutputs, reportFacts, studentTitle } from '../reporting/report-facts.ts';
import { runFacts } from '../reporting/run-facts.ts';
import type { Lessons } from '../teaching/lessons.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { DATA } from './data.ts';
import { EVALUATIONS } from './evaluate.ts';
import { TOLD_STAGES } from './given.ts';
import { type LabelFinding, LESSONS } from './label.ts';
import { notMeasured, stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const RESULT = artifact<TrainResult | RunResult>('result');

/** Writes `result.json`, `report.html` and the model card. */
export const reportStage = stage({
  name: 'report',
  about: 'write this page',
  needs: {
    data: DATA,
    evaluations: EVALUATIONS,
    teacher: optional(TEACHER),
    lessons: optional(LESSONS),
    stages: TOLD_STAGES,
  },
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
  plan: async (context) =>
    context.source ? notMeasured(context, 'report', 'a page, in a moment') : undefined,
});

interface ReportInputs {
  readonly data: TaskData;
  readonly evaluations: Evaluations;
  readonly teacher?: TrainedTeacher | undefined;
  readonly lessons?: Lessons | undefined;
  readonly stages: readonly ToldStage[];
}

function collectResult(
  run: RunContext,
  { data, evaluations, stages }: ReportInputs,
): TrainResult | RunResult {
  const {
    sections: _,
    baselines,
    teacher,
    teachers,
    hostedTeacher,
    overTeacher,
    retentionInterval,
    ...measured
  } = evaluations;
  if (!teacher && !hostedTeacher) {
    const compared = baselines.length > 0 ? { baselines: [...baselines] } : {};
    return { ...measured, ...compared, ...runFacts(run, 'train', stages) };
  }
  const finding = run.folder.finding<LabelFinding>('label');
  const teacherCalls = finding?.teacherCalls ?? 0;
  return {
    ...measured,
    ...(teacher && { teacher }),
    ...(teachers && { teachers }),
    ...(hostedTeacher && { hostedTeacher }),
    baselines: [...baselines],
    baseline: labelsAlone(evaluations)?.result ?? null,
    ...(overTeacher && { overTeacher }),
    ...compareModels({ ...measured, teacher }),
    ...(retentionInterval && { retentionInterval }),
    teacherCalls,
    teacherCallsSaved: finding?.reused ?? Math.max(0, data.asked.size - teacherCalls),
    ...runFacts(run, 'distill', stages),
  };
}

async function collectReportData(run: RunContext, inputs: ReportInputs): Promise<Omit<ReportData, 'result'>> {
  const { data, teacher, evaluations, lessons } = inputs;
  const log = () => readMetricsLog(run.folder.file('metrics.jsonl'));
  const metric = selectedMetric(data.heads);
  const hasBaseline = labelsAlone(evaluations) !== undefined;
  return {
    ...reportFacts(run, data),
    models: { ...(teacher && { teacher: teacher.title }), student: studentTitle(run) },
    ...licencesOf(data),
    teacherValidation: teacher?.validation?.[metric] ?? null,
    curves: {
      student: await readCurve(log(), 'train'),
      baseline: hasBaseline ? await readCurve(log(), 'baseline') : null,
    },
    validation: {
      student: await readValidation(log(), 'train', metric),
      baseline: hasBaseline ? await readValidation(log(), 'baseline', metric) : null,
    },
    outputs: reportedOutputs(data, evaluations.sections),
    ...(lessons && { knowledgeGraph: graphReport(run, lessons.context) }),
    stages: [...inputs.stages],
  };
}

/** The licences of teachers from a hub; nothing of others. */
function licencesOf({ task: { teacher } }: TaskData): Pick<ReportData, 'teacherLicences'> {
  const licences = teacher?.licences ?? [];
  if (licences.length === 0) return {};
  return { teacherLicences: licences.map(({ model, license = null }) => ({ model, license })) };
}

/** The student that learnt from the labels alone; undefined without one. */
function labelsAlone({ baselines }: Pick<Evaluations, 'baselines'>) {
  return baselines.find(({ name }) => name === LABELS_ALONE.name);
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
