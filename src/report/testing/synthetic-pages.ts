import { waveformPicture, waveformSound } from '../../data/modalities/audio/waveform-example.ts';
import { methodResults } from '../continual-result.ts';
import { type ContinualReport, renderContinualReport } from '../html/continual-page.ts';
import { renderReport } from '../html/page.ts';
import type { DistillReport, ReportData } from '../report-data.ts';
import type { TrainResult } from '../result.ts';
import type { ShownExample } from '../shown-example.ts';
import { classAnswersOf, classModel, withClassAnswers } from './class-results.ts';
import { HOSTILE, hostileReport } from './hostile-report.ts';
import { syntheticGraph } from './synthetic-graph.ts';
import { syntheticReport } from './synthetic-report.ts';

/** A PNG of one grey point. */
const IMAGE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==';

/** A tone that dies away. */
const CLIP = Float32Array.from({ length: 4000 }, (_, t) => Math.exp(-t / 1000) * Math.sin(t / 3));

/** A page of every kind that a run can leave, by name: what holds for pages is held for all of them. */
export function syntheticPages(): Record<string, string> {
  return {
    text: renderReport(syntheticReport({ peers: true })),
    bare: renderReport(bareReport()),
    image: renderReport(imageReport()),
    audio: renderReport(audioReport()),
    narrow: renderReport(narrowReport()),
    weights: renderReport(weightsReport()),
    layers: renderReport(manyLayersReport()),
    hostile: renderReport(hostileReport()),
    train: renderReport(trainReport()),
    'train-hostile': renderReport(trainReport(hostileReport())),
    continual: renderContinualReport(continualReport(5)),
    'continual-hostile': renderContinualReport(continualReport(3, HOSTILE)),
  };
}

/** Nothing that a run may do without. */
function bareReport(): ReportData {
  const { knowledgeGraph: _, dynamics: __, ...data } = syntheticReport({ baseline: false, int8: false });
  return { ...withClassAnswers(data, { disagreements: [], calibration: null }), warnings: [] };
}

/** Samples that are images, in cards and on the map. */
function imageReport(): ReportData {
  return shownReport('images', (index) => ({ text: `image ${index}`, picture: IMAGE }));
}

/** Clips with their drawing, to be listened to; a name of a file that means harm. */
function audioReport(): ReportData {
  return shownReport('clips', (index) => ({
    text: index === 0 ? HOSTILE : `${index}.wav`,
    picture: waveformPicture(CLIP),
    sound: waveformSound(CLIP, 8000)!,
  }));
}

function shownReport(unit: ReportData['unit'], example: (index: number) => ShownExample): ReportData {
  const data = syntheticReport();
  const shown = <Sample extends object>(samples: readonly Sample[]) =>
    samples.map((sample, index) => ({ ...sample, ...example(index) }));
  const { dynamics } = data;
  return {
    ...withClassAnswers(data, { disagreements: shown(classAnswersOf(data).disagreements) }),
    unit,
    data: { ...data.data, lengths: [] },
    dynamics: dynamics && {
      ...dynamics,
      examples: {
        easy: shown(dynamics.examples.easy),
        ambiguous: shown(dynamics.examples.ambiguous),
        hard: shown(dynamics.examples.hard),
      },
    },
  };
}

/** A story between 96 and 98 %. */
function narrowReport(): ReportData {
  const data = syntheticReport();
  const lift = (accuracy: number) => 0.96 + accuracy * 0.02;
  const risen = (points: DistillReport['validation']['student']) =>
    points.map((point, index) => ({ ...point, value: index === 0 ? 0.1 : lift(point.value) }));
  const { teacher, student, studentInt8, baseline } = data.result;
  const better = (model: typeof student) => ({
    ...model,
    ...classModel(lift(model.accuracy ?? 0), model.macroF1 ?? 0, model),
  });
  return {
    ...data,
    teacherValidation: 0.979,
    validation: { student: risen(data.validation.student), baseline: risen(data.validation.baseline ?? []) },
    result: {
      ...data.result,
      ...(teacher && { teacher: better(teacher) }),
      student: better(student),
      studentInt8: studentInt8 && better(studentInt8),
      baseline: baseline && better(baseline),
    },
  };
}

/** Weights that change, and four stages that follow one another closely. */
function weightsReport(): ReportData {
  const data = syntheticReport();
  const stages = ['answers of the teacher', 'hidden states', 'attention', 'labels'];
  const student = data.curves.student.map((point, index) => ({
    ...point,
    trainingStage: stages[Math.min(3, Math.floor(index / 3))] ?? '',
    weights: { kd: 0.9 - index / 50, labels: 0.1 + index / 50 },
    causes: { complexity: 0.4, 'effect/kd': 0.1 - index / 100 },
    coefficients: { 'alpha/kd': 0.2, 'beta/kd': -0.1, 'gamma/kd': 0.4, 'alpha/labels': 1 },
  }));
  return { ...data, curves: { ...data.curves, student } };
}

/** A teacher of many layers with the long names that exporters give. */
function manyLayersReport(): ReportData {
  const data = syntheticReport();
  const long = (name: string) => `/encoder/${name}/attention/MatMul`;
  return { ...data, knowledgeGraph: syntheticGraph(data.labels.map(long), long, 12) };
}

/** A student without a teacher. */
function trainReport(from: DistillReport = syntheticReport()): ReportData {
  const { teacher: _, baseline: __, baselines: ___, teacherCalls: ____, ...rest } = from.result;
  const result: TrainResult = { ...rest, testSamples: 8093, chance: 0.14 };
  const { confusion, calibration, disagreements } = classAnswersOf(from);
  const { knowledgeGraph: _____, ...data } = withClassAnswers(from, {
    confusion: { ...confusion, teacher: null, baseline: null },
    calibration: { teacher: null, student: calibration?.student ?? [], baseline: null },
    errors: null,
    disagreements: [],
    mistakes: disagreements.map(({ text, truth, student }) => ({ text, truth, student })),
  });
  return {
    ...data,
    models: { student: from.models.student },
    curves: { ...from.curves, baseline: null },
    result,
  };
}

function continualReport(tasks: number, mark = ''): ContinualReport {
  const square = (kept: number) =>
    Array.from({ length: tasks }, (_, row) =>
      Array.from({ length: tasks }, (__, column) =>
        column > row ? 0 : Math.max(0, 0.97 - (row - column) * (1 - kept) * 0.3),
      ),
    );
  const methods = { naive: 0.1, self: 0.5, ewc: 0.3, replay: 0.8, teacher: 0.85, all: 0.95 };
  const measured = Object.entries(methods).map(([method, kept]) => ({
    method,
    matrix: square(kept),
    validation: square(kept),
  }));
  const all = [Array.from({ length: tasks }, () => 0.96)];
  const { result, recipe } = syntheticReport();
  return {
    finishedAt: '2026-03-14T09:26:53Z',
    warnings: mark ? [mark] : [],
    recipe: recipe + mark,
    result: {
      name: `clothes ${mark}`,
      unit: 'images',
      setting: 'class-incremental',
      tasks: Array.from({ length: tasks }, (_, task) => ({
        classes: [`class ${2 * task} ${mark}`, `class ${2 * task + 1}`],
        train: 10_000,
        validation: 500,
        test: 2000,
      })),
      methods: methodResults([...measured, { method: 'joint', matrix: all, validation: all }]),
      student: `mobilenet-v3 ${mark}`,
      seconds: 613,
      seed: 1,
      command: `npx limbeck continual recipes/clothes.yaml ${mark}`,
      engine: result.engine,
      machine: result.machine,
      version: result.version,
    },
  };
}
