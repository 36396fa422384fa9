import { accuracy, macroF1 } from '../../metrics/confusion.ts';
import { pairedDifference, unpairedDifference } from '../../metrics/interval.ts';
import { type RandomStream, randomStream } from '../../random.ts';
import type { Answer, ConfusionCounts } from '../class-answers.ts';
import { createComparison } from '../model-comparison.ts';
import type { CurvePoint, DistillReport } from '../report-data.ts';
import {
  type BaselineResult,
  CLASS_METRICS,
  compareModels,
  type FurtherResult,
  LABELS_ALONE,
} from '../result.ts';
import { type ClassModel, classModel } from './class-results.ts';
import { syntheticDynamics } from './synthetic-dynamics.ts';
import { syntheticGraph } from './synthetic-graph.ts';

/** The 26 noun classes of WordNet, each with the classes that it is easily taken for. */
const CLASSES: Record<string, string[]> = {
  act: ['event', 'process', 'communication'],
  animal: ['body', 'food'],
  artifact: ['object', 'substance', 'group'],
  attribute: ['state', 'cognition', 'feeling'],
  body: ['animal', 'shape'],
  cognition: ['communication', 'attribute', 'act'],
  communication: ['cognition', 'act'],
  event: ['act', 'phenomenon'],
  feeling: ['state', 'attribute'],
  food: ['plant', 'substance'],
  group: ['person', 'artifact'],
  location: ['object', 'group'],
  motive: ['feeling', 'cognition'],
  object: ['artifact', 'location'],
  person: ['group', 'animal'],
  phenomenon: ['process', 'state'],
  plant: ['food', 'animal'],
  possession: ['quantity', 'communication'],
  process: ['act', 'phenomenon'],
  quantity: ['time', 'possession'],
  relation: ['cognition', 'attribute'],
  shape: ['attribute', 'object'],
  state: ['attribute', 'phenomenon'],
  substance: ['artifact', 'food'],
  time: ['quantity', 'event'],
  Tops: ['cognition', 'object'],
};
const LABELS = Object.keys(CLASSES);
const SUPPORT = [
  655, 737, 1140, 297, 195, 290, 555, 105, 42, 255, 259, 317, 4, 152, 1090, 63, 806, 105, 75, 125, 43, 33,
  350, 294, 101, 5,
];

/** A gloss of our own for each class. */
const TEXTS: Record<string, string> = {
  act: 'the careful removal of old varnish from a painting',
  animal: 'small burrowing rodent of dry uplands, active at dusk',
  artifact: 'a shallow wooden box in which seedlings are raised before they are planted out',
  attribute: 'the quality of being slow to make up one’s mind',
  body: 'the fold of skin at the inner corner of the eye',
  cognition: 'a guess that is held to be true until something speaks against it',
  communication: 'a short notice that is read aloud at the end of a meeting',
  event: 'a sudden fall of loose stones down a slope',
  feeling: 'the quiet pleasure of having finished a long task',
  food: 'a thick soup of lentils and smoked meat, eaten with dark bread',
  group: 'all the boats of a village that put out together',
  location: 'the low-lying part of a town near the harbour',
  motive: 'a reason that is given only after the deed',
  object: 'a steep bank left by a river that has since changed its course',
  person: 'someone who repairs clocks and other small mechanisms for a living',
  phenomenon: 'a pale ring around the moon that is seen through thin cloud',
  plant: 'low herb of damp meadows with pale star-shaped flowers',
  possession: 'a sum paid back when goods are returned to the shop that sold them',
  process: 'the slow wearing away of a coast by the sea',
  quantity: 'as much as can be carried in two open hands',
  relation: 'the share of one part in the weight of the whole',
  shape: 'a curve that comes back to where it began',
  state: 'the condition of having been left outside in the rain',
  substance: 'a grey powder that hardens when it is mixed with water',
  time: 'the hour before sunrise when the lamps are still lit',
  Tops: 'that which is thought of as standing by itself',
};

/** The student with 4-bit weights. */
function simulateQ4({ accuracy, macroF1, ...student }: ClassModel): FurtherResult {
  const file = 'student/onnx/model_q4.onnx';
  return {
    precision: 'q4',
    result: classModel(accuracy - 0.006, macroF1 - 0.007, { ...student, bytes: 402_118, file }),
    gate: { maxDrop: 0.01, drop: 0.006, passed: true },
  };
}

/** A report such as a run of 26 classes gives, made by a seeded simulation: for tests, and for designing the page. */
export function syntheticReport(
  options: { baseline?: boolean; int8?: boolean; q4?: boolean; peers?: boolean } = {},
): DistillReport {
  const { baseline = true, int8 = true, q4 = false, peers = false } = options;
  const compared = simulateAnswers(baseline);
  const result = (counts: ConfusionCounts, rest: Parameters<typeof classModel>[2]): ClassModel =>
    classModel(accuracy(counts), macroF1(counts), rest);
  const size = { parameters: 606_106, bytes: 2_441_812 };
  const teacher = result(compared.confusion.teacher ?? [], {
    parameters: 7_031_834,
    bytes: 28_160_411,
    latencyMs: { one: 1.62, thirtyTwo: 29.4 },
    throughput: 1088,
    file: 'teacher/model.onnx',
  });
  const student = result(compared.confusion.student, {
    ...size,
    latencyMs: { one: 0.071, thirtyTwo: 1.21 },
    throughput: 26_450,
    file: 'student/onnx/model.onnx',
  });
  const studentInt8 = int8
    ? classModel(student.accuracy - 0.0024, student.macroF1 - 0.0031, {
        parameters: size.parameters,
        bytes: 631_440,
        latencyMs: { one: 0.062, thirtyTwo: 0.84 },
        throughput: 38_100,
        file: 'student/onnx/model_quantized.onnx',
      })
    : null;
  const alone = compared.confusion.baseline
    ? result(compared.confusion.baseline, {
        ...size,
        latencyMs: { one: 0.072, thirtyTwo: 1.22 },
        throughput: 26_230,
        file: 'baseline/model.onnx',
      })
    : null;
  const models = { metrics: CLASS_METRICS, teacher, student, studentInt8 };
  const samples = SUPPORT.reduce((sum, support) => sum + support, 0);
  const gain =
    alone &&
    unpairedDifference({ accuracy: student.accuracy, samples }, { accuracy: alone.accuracy, samples });
  const curves = {
    student: simulateCurve('student', 5000, 96.2, 0.607).map((point) => ({
      ...point,
      trainingStage: point.step < 2000 ? 'answers' : 'layers',
    })),
    baseline: baseline ? simulateCurve('baseline', 640, 14.9, 0.516) : null,
  };
  const { errors } = compared;
  return {
    unit: 'texts',
    name: 'glosses',
    finishedAt: '2026-03-14T09:26:53Z',
    labels: LABELS,
    models: {
      teacher: 'Universal Sentence Encoder lite and a linear head, int8',
      student: 'text-conv: embeddings of 64, one convolution of 192 channels',
    },
    result: {
      ...models,
      testSamples: samples,
      chance: Math.max(...SUPPORT) / samples,
      overTeacher: pairedDifference({
        samples,
        onlyFirst: errors?.corrected ?? 0,
        onlySecond: errors?.own.teacherRight ?? 0,
      }),
      baseline: alone,
      baselines: peers
        ? simulatePeers(student)
        : alone && gain
          ? [{ ...LABELS_ALONE, result: alone, gain }]
          : [],
      ...compareModels(models),
      seconds: {
        data: 6.1,
        teacher: 21.4,
        label: 52.7,
        peer: 0,
        train: 96.2,
        baseline: baseline ? 14.9 : 0,
        export: 2.3,
        evaluate: 11.8,
        report: 0.4,
        total: 205.8 + (baseline ? 0 : -14.9),
      },
      teacherCalls: 71_204,
      teacherCallsSaved: 569_632,
      seed: 1,
      command: 'npx limbeck distill recipes/glosses.yaml --out runs/glosses',
      engine: 'onnxruntime-node 1.30.0, cpu',
      machine: { cpu: 'AMD EPYC 7B13', cores: 2, node: 'v20.19.4', memoryPeakBytes: 1_130_000_000 },
      gate: studentInt8 ? { maxDrop: 0.01, drop: 0.0024, passed: true } : null,
      ...(q4 && { further: [simulateQ4(student)] }),
      version: '0.1.0',
    },
    teacherValidation: 0.6385,
    curves,
    validation: {
      student: validationOf(curves.student),
      baseline: curves.baseline && validationOf(curves.baseline),
    },
    outputs: [{ name: 'logits', title: 'one class', kind: 'class', section: [compared] }],
    data: {
      title: 'WordNet 3.1 noun glosses',
      rows: 82_115,
      splits: { train: 71_204, validation: 2000, test: 8093 },
      labelled: 2477,
      broken: 3,
      brokenExamples: [{ where: 'data.noun, line 40312', problem: 'the gloss is empty' }],
      duplicates: 815,
      lengths: [2400, 14_870, 23_410, 17_220, 10_830, 5940, 3010, 1880, 901, 839].map((count, index) => ({
        from: index * 4,
        to: index * 4 + 4,
        count,
      })),
      cut: 12,
    },
    knowledgeGraph: syntheticGraph(LABELS),
    dynamics: syntheticDynamics(Object.values(TEXTS)),
    warnings: [
      {
        level: 'warning',
        message: 'The labels term is nearly inert: its gradient is 0.8 % of the kd term’s (weight 0.1).',
      },
      {
        level: 'note',
        message: 'Stopped early after epoch 7 of 8: validation accuracy had not grown for 3 evaluations.',
      },
    ],
    recipe: RECIPE,
  };
}

function validationOf(curve: readonly CurvePoint[]): DistillReport['validation']['student'] {
  return curve.map(({ step, seconds, validationAccuracy = 0 }) => ({
    step,
    seconds,
    value: validationAccuracy,
  }));
}

/** What the student may also be compared with: linear models of the same words. */
function simulatePeers(student: ClassModel): BaselineResult[] {
  const samples = SUPPORT.reduce((sum, support) => sum + support, 0);
  const peer = (
    name: string,
    title: string,
    taughtBy: BaselineResult['taughtBy'],
    behind: number,
  ): BaselineResult => {
    const accuracy = student.accuracy - behind;
    const disputed = samples * 0.15;
    const counts = {
      samples,
      onlyFirst: (disputed + behind * samples) / 2,
      onlySecond: (disputed - behind * samples) / 2,
    };
    return {
      name,
      title,
      taughtBy,
      result: classModel(accuracy, student.macroF1),
      gain: pairedDifference(counts),
    };
  };
  return [
    peer('labels', 'the same student, from the labels alone', 'labels', 0.12),
    peer('linear-labels', 'a linear model of the words, from the labels alone', 'labels', 0.04),
    peer('linear-answers', 'a linear model of the words, from the teacher’s answers', 'teacher', 0.002),
  ];
}

function simulateAnswers(baseline: boolean) {
  const random = randomStream(7, 'synthetic report');
  const comparison = createComparison({ labels: LABELS, seed: 1 });
  SUPPORT.forEach((support, truth) => {
    // Rare classes are harder; the baseline, which saw few texts, suffers more.
    const ease = 0.42 + 0.055 * Math.log(support);
    for (let text = 0; text < support; text++) {
      const teacher = simulateAnswer(random, truth, ease - 0.08);
      const student =
        random.uniform() < 0.78 ? teacher.label : simulateAnswer(random, truth, ease - 0.17).label;
      comparison.add({
        example: () => ({ text: TEXTS[LABELS[truth]!]! }),
        truth,
        teacher,
        student: { label: student, confidence: 0.25 + 0.7 * random.uniform() },
        baseline: baseline ? simulateAnswer(random, truth, ease - 0.21) : undefined,
      });
    }
  });
  return comparison.result();
}

function simulateAnswer(random: RandomStream, truth: number, chance: number): Answer {
  const confidence = Math.min(0.99, 0.3 + 0.69 * random.uniform());
  if (random.uniform() < chance + 0.4 * (confidence - 0.65)) return { label: truth, confidence };
  const near = CLASSES[LABELS[truth]!]!;
  if (random.uniform() < 0.72)
    return { label: LABELS.indexOf(near[random.integer(near.length)]!), confidence };
  return { label: random.integer(LABELS.length), confidence };
}

function simulateCurve(name: string, steps: number, seconds: number, best: number): CurvePoint[] {
  const random = randomStream(7, 'synthetic curve', name);
  const wobble = () => 1 + 0.06 * (random.uniform() - 0.5);
  return Array.from({ length: 33 }, (_, index) => {
    const part = index / 32;
    const fall = Math.exp(-4 * part);
    const kd = name === 'student' ? (0.9 + 4.2 * fall) * wobble() : null;
    const labels = (1.1 + 2.1 * fall) * wobble();
    const kdNorm = (0.4 + 1.8 * fall) * wobble();
    const labelsNorm = (0.01 + 0.05 * fall) * wobble() * (kd === null ? 10 : 1);
    return {
      step: Math.round(part * steps),
      seconds: part * seconds,
      losses: {
        ...(kd === null ? {} : { kd }),
        labels,
        total: kd === null ? labels : 0.9 * kd + 0.1 * labels,
      },
      gradientNorms: {
        ...(kd === null ? {} : { kd: kdNorm }),
        labels: labelsNorm,
        total: kd === null ? labelsNorm : Math.hypot(kdNorm, labelsNorm),
      },
      validationAccuracy: Math.max(
        0.04,
        best * (1 - Math.exp(-7 * (part + 0.01))) * (1 + 0.008 * (random.uniform() - 0.5)),
      ),
      learningRate: 3e-3 * Math.min(1, part / 0.05) * 0.5 * (1 + Math.cos(Math.PI * part)),
    };
  });
}

const RECIPE = `name: glosses
task: text-classification
seed: 1
engine: cpu
data:
  source:
    kind: wordnet-glosses
    partOfSpeech: noun
  splits:
    validation: 2000
    test: 8000
  labelsPerClass: 100
  maxLength: 64
teacher:
  kind: use-lite
  train: head
  precision: auto
  minAgreement: 0.99
student:
  kind: text-conv
  embedding: 64
  width: 192
objective:
  kd:
    weight: 0.9
    temperature: 2
  labels:
    weight: 0.1
training:
  epochs: 8
  batchSize: 128
  optimizer:
    kind: adamw
    learningRate: 0.003
    weightDecay: 0.01
export:
  int8:
    maxDrop: 0.01
`;
