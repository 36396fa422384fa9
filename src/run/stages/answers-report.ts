import type { AnswersReport } from '../../report/answers-report.ts';
import type { AnswersModel, AnswersResult } from '../../report/answers-result.ts';
import { readCurve, readMetricsLog, readValidation } from '../../report/metrics-log.ts';
import { LABELS_ALONE } from '../../report/result.ts';
import { artifact, optional } from '../context/artifact.ts';
import { mainMetric, metricsOf, selectedMetric } from '../heads/head-metrics.ts';
import { reportFacts, studentTitle } from '../reporting/report-facts.ts';
import { runFacts } from '../reporting/run-facts.ts';
import { ANSWERS_EVALUATION, type AnswersEvaluation } from './answers-evaluate.ts';
import { DATA } from './data.ts';
import { TOLD_STAGES } from './given.ts';
import { type LabelFinding, LESSONS } from './label.ts';
import { notMeasured, stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const ANSWERS_RESULT = artifact<AnswersResult>('answers-result');

/** Writes `result.json`, `report.html` and the model card of models that answer with anything but one class. */
export const answersReportStage = stage({
  name: 'report',
  about: 'write this page',
  needs: {
    data: DATA,
    evaluation: ANSWERS_EVALUATION,
    teacher: optional(TEACHER),
    lessons: optional(LESSONS),
    stages: TOLD_STAGES,
  },
  makes: ANSWERS_RESULT,
  title: () => 'Write the report',
  async run(run, { data, evaluation, teacher, stages }) {
    const { folder } = run;
    const { sections, ...measured } = evaluation;
    const log = folder.file('metrics.jsonl');
    const metric = selectedMetric(data.heads);
    const hasBaseline = measured.baselines?.some(({ name }) => name === LABELS_ALONE.name) ?? false;
    const curves = {
      student: await readCurve(readMetricsLog(log), 'train'),
      baseline: hasBaseline ? await readCurve(readMetricsLog(log), 'baseline') : null,
    };
    const validation = {
      student: await readValidation(readMetricsLog(log), 'train', metric),
      baseline: hasBaseline ? await readValidation(readMetricsLog(log), 'baseline', metric) : null,
    };
    // The seconds so far: of this stage only the drawing is missing in its own result.
    run.clock.keep();
    const finding = folder.finding<LabelFinding>('label');
    const calls = finding?.teacherCalls ?? 0;
    const result: AnswersResult = {
      ...measured,
      metrics: mainFirst(data.heads),
      ...(measured.teacher && {
        ...comparedWithTeacher(measured, measured.teacher, data.heads),
        teacherCalls: calls,
        teacherCallsSaved: finding?.reused ?? Math.max(0, data.asked.size - calls),
      }),
      ...runFacts(run, teacher ? 'distill' : 'train', stages),
    };
    const report: AnswersReport = {
      answers: 'any',
      ...reportFacts(run, data),
      models: { ...(teacher && { teacher: teacher.title }), student: studentTitle(run) },
      result,
      curves,
      validation,
      outputs: data.heads.map(({ output, target, metrics }) => ({
        name: output,
        title: target.title,
        kind: target.kind,
        metrics: metrics.map(({ name, title, better, format }) => ({ name, title, better, format })),
        section: sections.get(output) ?? null,
      })),
      stages: [...stages],
    };
    // Loaded when it is wanted: it is a tenth of what a page loads.
    const { REPORT_FILES, writeReportFiles } = await import('../reporting/report-files.ts');
    const summary = writeReportFiles(folder.path, report);
    folder.keep(...REPORT_FILES);
    return { value: result, summary };
  },
  plan: async (context) => notMeasured(context, 'report', 'a page, in a moment'),
});

/** All metrics, the one first by which models are compared. */
function mainFirst(heads: Parameters<typeof metricsOf>[0]): AnswersResult['metrics'] {
  const main = mainMetric(heads);
  return [main, ...metricsOf(heads).filter(({ name }) => name !== main.name)];
}

function comparedWithTeacher(
  { student }: AnswersEvaluation | Omit<AnswersEvaluation, 'sections'>,
  teacher: AnswersModel,
  heads: Parameters<typeof metricsOf>[0],
): Pick<AnswersResult, 'retention' | 'speedup'> {
  const { name, better } = mainMetric(heads);
  const [own, other] = [student.metrics[name], teacher.metrics[name]];
  const [part, whole] = better === 'higher' ? [own, other] : [other, own];
  return {
    retention: typeof part === 'number' && typeof whole === 'number' && whole > 0 ? part / whole : null,
    speedup: teacher.throughput > 0 ? student.throughput / teacher.throughput : null,
  };
}
