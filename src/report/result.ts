import { z } from 'zod';
import { FURTHER_PRECISIONS, PRECISIONS, type Precision } from '../export/precisions.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { compressionSchema } from './compression.ts';
import { exitsResultSchema } from './exits-result.ts';
import { type RuntimeGate, runtimeGateSchema, studentShips } from './runtime-gates.ts';

const count = z.number().int().nonnegative();
const fraction = z.number().min(0).max(1);
const duration = z.number().nonnegative();

/** A metric's value; null where there was nothing that it could be made of (JSON has no NaN). */
const measured = z.number().nullable();

/** What became of one layer in a smaller file. */
const layerPrecisionSchema = z.object({
  layer: z.string(),
  precision: z.enum(Object.keys(PRECISIONS) as [Precision, ...Precision[]]),
  /**
   * Where layers were measured: what this one, alone in the file's precision, costs of the main metric on the validation split; null
   * where it breaks the network.
   */
  drop: measured.optional(),
  /**
   * Where layers were measured for a bound of bytes: what 4 bits cost beside int8 on the validation split, of one class the rise of
   * the mean cross-entropy, in nats, of other answers what is lost by the main metric.
   */
  fourBitCost: measured.optional(),
});
export type LayerPrecision = z.infer<typeof layerPrecisionSchema>;

/** What was found on the validation split of correcting the biases of an int8 file by what int8 shifts on average. */
const biasCorrectionSchema = z.object({
  /** Whether the file has them. */
  applied: z.boolean(),
  /** What decided: `cross-entropy`, or the title of the main metric. */
  measure: z.string(),
  /** By how much the corrected file is better; a part of the metric where less of it is better. Absent where one of both had no number. */
  gain: z.number().optional(),
});
export type BiasCorrection = z.infer<typeof biasCorrectionSchema>;

/** What was measured on one model's shipped file, reloaded from disk, on the test split: whatever its outputs are. */
const modelSchema = z.object({
  /** By the names of the metrics (`macroF1`, `rmse`); `OUTPUT/NAME` where there are several outputs. */
  metrics: z.record(z.string(), measured),
  /** Of models that answer with one class: correct answers / test samples, 0 to 1. The same as `metrics.accuracy`. */
  accuracy: fraction.optional(),
  /** Of models that answer with one class: mean F1 over the classes that occur in the test split, 0 to 1. */
  macroF1: fraction.optional(),
  /** Trained and frozen numbers in the graph. */
  parameters: count,
  /** Size of the file (with its external data) on disk. */
  bytes: count,
  /** Median wall time of one call, tokens given, in milliseconds: for a batch of one sample and of 32 samples. */
  latencyMs: z.object({ one: duration, thirtyTwo: duration }),
  /** Samples a second in batches of 32. */
  throughput: duration,
  /**
   * Where the objective teaches the teacher's reasons: the mean cosine of the model's attributions (gradient x input) with
   * the teacher's over the first test samples, -1 to 1.
   */
  attributionCosine: z.number().min(-1.0001).max(1.0001).optional(),
  /** Of a quantised file: the share of its multiplications that run in int8. */
  int8Share: fraction.optional(),
  /** Of the int8 file, where the recipe wants its biases corrected. */
  biasCorrection: biasCorrectionSchema.optional(),
  /** Of a smaller file of the student: the precision of each of its layers, in their order. */
  layers: z.array(layerPrecisionSchema).optional(),
  /** The file, relative to the run's folder. */
  file: z.string().optional(),
});
export const modelResultSchema = z.preprocess(withMetrics, modelSchema);
export type ModelResult = z.infer<typeof modelSchema>;

/** Results of earlier versions have the two metrics of a class beside the other numbers, and no others. */
function withMetrics(model: unknown): unknown {
  if (typeof model !== 'object' || model === null || 'metrics' in model) return model;
  const { accuracy, macroF1 } = model as { readonly accuracy?: unknown; readonly macroF1?: unknown };
  return { metrics: { accuracy, macroF1 }, ...model };
}

/** What models are judged by. */
export const metricInfoSchema = z.object({
  name: z.string(),
  title: z.string(),
  better: z.enum(['higher', 'lower']),
  format: z.enum(['percent', 'number']),
});

/** Of results of earlier versions that do not name their metrics: those of one class. */
export const CLASS_METRICS: z.infer<typeof metricInfoSchema>[] = [
  { name: 'accuracy', title: 'accuracy', better: 'higher', format: 'percent' },
  { name: 'macroF1', title: 'macro-F1', better: 'higher', format: 'percent' },
];

/** Wall time by stage, in seconds; a stage that was skipped took 0. Which stages there are, the run's list says. */
const stageSecondsSchema = z
  .object({
    /** Of the whole run; with a resumed run, of all its parts. */
    total: duration,
  })
  .catchall(duration);
export type StageSeconds = z.infer<typeof stageSecondsSchema>;

/** The machine that the numbers hold for. */
const machineSchema = z.object({
  cpu: z.string(),
  cores: count,
  /** Version of Node.js, e.g. `v20.19.4`. */
  node: z.string(),
  memoryPeakBytes: count,
});
export type Machine = z.infer<typeof machineSchema>;

/**
 * How much better one model is than another on the same test samples by the main metric, and the 95 % interval that this is
 * known to: a difference where more is better, the part by which it is less where less is. No bounds where the samples were too
 * few for them.
 */
const gainSchema = z.object({ difference: measured, low: measured, high: measured });
export type Gain = z.infer<typeof gainSchema>;

/** A model that the student is compared with besides its teacher: what one would have without this distillation. */
export const baselineResultSchema = z.object({
  /** `labels` is the same student from the labels alone. */
  name: z.string(),
  /** What it is, for tables: `the same student, from the labels alone`. */
  title: z.string(),
  /** Whose answers it learnt: then it says nothing of what the teacher is worth, but of what the student is. */
  taughtBy: z.enum(['labels', 'teacher']),
  result: modelResultSchema,
  /** How much better the student is than this one. */
  gain: gainSchema,
});
export type BaselineResult = z.infer<typeof baselineResultSchema>;

/** The baseline of every distillation that is not told otherwise. */
export const LABELS_ALONE = {
  name: 'labels',
  title: 'the same student, from the labels alone',
  taughtBy: 'labels',
} as const satisfies Partial<BaselineResult>;

/**
 * Whether a smaller file of the student may ship (int8, 4-bit weights): the gate shuts when it loses more than `maxDrop` by the main metric, beyond what the
 * number of test samples leaves to chance.
 */
export const gateSchema = z.object({
  maxDrop: fraction,
  /** How much better the student is than its int8 file; negative when int8 did better. */
  drop: z.number(),
  /** The 95 % interval of `drop`; none where the samples were too few for one. */
  interval: z.object({ low: z.number(), high: z.number() }).optional(),
  /** Where `maxDrop` lies: above the interval (`within`), below it (`beyond`), or in it (`unclear`). */
  verdict: z.enum(['within', 'unclear', 'beyond']).optional(),
  /** Test samples that it was measured on. */
  samples: count.optional(),
  /** False for `beyond`: then the file is not left in the student's folder. */
  passed: z.boolean(),
  /**
   * When it did not pass: the layers that cost most, worst first. `loss` is what the layer alone, in that precision, costs on the validation
   * split: of one class the rise of the mean cross-entropy, in nats; of other answers what is lost by the main metric.
   */
  layers: z.array(z.object({ layer: z.string(), loss: z.number() })).optional(),
});
export type Gate = z.infer<typeof gateSchema>;

/** The student's file in a precision beside float32 and int8: what it was measured at, and whether it ships. */
const furtherResultSchema = z.object({
  precision: z.enum(FURTHER_PRECISIONS),
  result: modelResultSchema,
  gate: gateSchema,
});
export type FurtherResult = z.infer<typeof furtherResultSchema>;

/** `conv/weights (0.031), head/weights (0.002)`: the layers that a shut gate names; empty when it names none. */
export function gateLayers({ layers = [] }: Gate): string {
  return layers.map(({ layer, loss }) => `${layer} (${loss.toPrecision(2)})`).join(', ');
}

/** What no model is needed for, as a measure of what models reach: guessing, n-grams. */
const referenceSchema = z.object({
  name: z.string(),
  /** What it is, for tables. */
  title: z.string(),
  /** Those of the models' metrics that are known of it. */
  metrics: z.record(z.string(), measured),
});
export type ReferenceResult = z.infer<typeof referenceSchema>;

/** What read the shipped folder after it was written, and found the answers that were measured. */
const shippedCheckSchema = z.object({
  /** With its version. */
  reader: z.string(),
  /** Test samples whose answers were compared, alone and in batches. */
  samples: count,
  /** The model files, relative to the student's folder. */
  files: z.array(z.string()),
});
export type ShippedCheck = z.infer<typeof shippedCheckSchema>;

/** The whole of `result.json` of `train`: a student without a teacher. */
export const trainResultSchema = z.object({
  /** What models are judged by: the first is the main output's own, by which they are compared. */
  metrics: z.array(metricInfoSchema).min(1).default(CLASS_METRICS),
  student: modelResultSchema,
  /** null when the recipe asks for no int8 file. */
  studentInt8: modelResultSchema.nullable(),
  /** Samples of the test split. */
  testSamples: count.optional(),
  /**
   * Of models that answer with one class: the accuracy of always giving the most frequent class of the test split, which what
   * knows nothing reaches.
   */
  chance: fraction.optional(),
  /** Of language models: what guessing and a trigram model of the training texts reach. */
  references: z.array(referenceSchema).optional(),
  gate: gateSchema.nullable(),
  /** The student in the further precisions that the recipe asks for. */
  further: z.array(furtherResultSchema).optional(),
  /** Whether the student keeps to the recipe's bounds in the runtimes that will run it; absent where it names none. */
  runtimeGates: z.array(runtimeGateSchema).optional(),
  /** What read the student's folder before it was measured. */
  shippedCheck: shippedCheckSchema.optional(),
  /** What the recipe's transforms did; absent where it lists none. */
  compression: compressionSchema.optional(),
  /** How samples leave a student with early exits. */
  exits: exitsResultSchema.optional(),
  /**
   * Everything that the student is compared with besides its teacher, `baseline` first; without a teacher what it was before
   * its transforms, where there were any.
   */
  baselines: z.array(baselineResultSchema).optional(),
  seconds: stageSecondsSchema,
  seed: z.number().int(),
  /** The command that repeats the run. */
  command: z.string(),
  engine: z.string(),
  machine: machineSchema,
  /** Of Limbeck. */
  version: z.string(),
});
export type TrainResult = z.infer<typeof trainResultSchema>;

/** A teacher that was asked somewhere else: no file, so neither size nor speed, but a price. */
const hostedTeacherSchema = z.object({
  title: z.string(),
  host: z.string(),
  /** As the endpoint named it. */
  model: z.string(),
  /** How its answers became labels: `soft labels from log-probabilities`. */
  answers: z.array(z.string()),
  /** Requests of all runs that shared its answers. */
  requests: count,
  inputTokens: count,
  outputTokens: count,
  money: z.number().nullable(),
  currency: z.string(),
  /** Whether nobody else knows what is true of the test samples: numbers are agreement with it. */
  decides: z.boolean(),
  /** Measured on the test samples that it answered; absent where nobody else knows the truth, or it was not asked. */
  measured: z
    .object({
      samples: z.number().int(),
      unanswered: z.number().int(),
      metrics: z.record(z.string(), measured),
      /** How much better the student is on the same samples. */
      studentGain: gainSchema,
    })
    .optional(),
});
export type HostedTeacherResult = z.infer<typeof hostedTeacherSchema>;

/** Several teachers on the test samples; shares of them, 0 to 1. */
const teachersSchema = z.object({
  members: z.array(
    z.object({
      title: z.string(),
      /** What its answers count; null where that differs from sample to sample. */
      weight: fraction.nullable(),
      accuracy: fraction,
      /** Where no other teacher is right. */
      onlyRight: fraction,
    }),
  ),
  /** The accuracy of what the student was taught. */
  together: fraction,
  /** Where some teacher is right: what choosing the right one every time would reach. */
  anyRight: fraction,
  /** Where they do not all give the same class. */
  disagreement: fraction,
});

/** The whole of `result.json` of `distill`: the same, beside a teacher. */
export const runResultSchema = trainResultSchema.extend({
  /** Absent of a teacher that was asked somewhere else. */
  teacher: modelResultSchema.optional(),
  hostedTeacher: hostedTeacherSchema.optional(),
  /** Where several teach: each of them. */
  teachers: teachersSchema.optional(),
  /** The same student trained on the labels alone; null with `--no-baseline`, and where there are no labels. */
  baseline: modelResultSchema.nullable().default(null),
  /** How much better the student is than its teacher. */
  overTeacher: gainSchema.optional(),
  /**
   * By the main metric: the student's value / the teacher's, or the other way round where less is better; null where one of
   * them is not known.
   */
  retention: z.number().nonnegative().nullable(),
  /** The 95 % interval of `retention`; none where the samples were too few for one. */
  retentionInterval: z.object({ low: z.number(), high: z.number() }).optional(),
  /** Student throughput / teacher throughput; null of a teacher that was asked somewhere else. */
  speedup: z.number().nonnegative().nullable(),
  speedupInt8: z.number().nonnegative().nullable().default(null),
  /** Samples that the teacher answered in this run. */
  teacherCalls: count,
  /** Samples whose answers were in the knowledge store before this run began. */
  teacherCallsSaved: count,
});
export type RunResult = z.infer<typeof runResultSchema>;

/** Whether a result is of a student that had a teacher. */
export function isDistilled(result: TrainResult | RunResult): result is RunResult {
  return 'teacherCalls' in result;
}

/** Whether a result's models answer with one class a sample. */
export function answersOneClass({ student }: { readonly student: Pick<ModelResult, 'accuracy'> }): boolean {
  return student.accuracy !== undefined;
}

/** The accuracy of a model that answers with one class a sample. Throws an Error for one that answers otherwise, and for none. */
export function accuracyOf(model: Pick<ModelResult, 'accuracy'> | null | undefined): number {
  const accuracy = model?.accuracy;
  if (accuracy === undefined) throw new Error('there is no model that answers with one class a sample');
  return accuracy;
}

/** The metric by which models are compared. */
export function mainMetric({ metrics }: Pick<TrainResult, 'metrics'>): MetricInfo {
  return metrics[0] as MetricInfo;
}

/** A model's value of a metric; NaN where it has none. */
export function metricValue(
  { metrics }: Pick<ModelResult, 'metrics'>,
  { name }: Pick<MetricInfo, 'name'>,
): number {
  return metrics[name] ?? Number.NaN;
}

/** A compared model's name in a table's narrow column. */
export function shortName(name: string): string {
  return name === LABELS_ALONE.name ? 'baseline' : name;
}

/** Whether the student's folder holds an int8 file: one was made, and the gates let it pass. */
export function int8Ships({
  studentInt8,
  gate,
  runtimeGates,
}: {
  readonly studentInt8: object | null;
  readonly gate: { readonly passed: boolean } | null;
  readonly runtimeGates?: readonly Pick<RuntimeGate, 'passed'>[] | undefined;
}): boolean {
  return studentInt8 !== null && gate?.passed !== false && studentShips({ runtimeGates });
}

/** The precisions of the models that are in the student's folder; none where that does not ship. */
export function shippingPrecisions(
  result: Parameters<typeof int8Ships>[0] & Pick<TrainResult, 'further'>,
): Precision[] {
  if (!studentShips(result)) return [];
  const further = result.further?.filter(({ gate }) => gate.passed) ?? [];
  return [
    'f32',
    ...(int8Ships(result) ? (['int8'] as const) : []),
    ...further.map(({ precision }) => precision),
  ];
}

/** Retention and speedups follow from the models; this computes them in one place. */
export function compareModels(
  models: Pick<RunResult, 'teacher' | 'student' | 'studentInt8' | 'metrics'>,
): Pick<RunResult, 'retention' | 'speedup' | 'speedupInt8'> {
  const { teacher, student, studentInt8 } = models;
  if (!teacher) return { retention: null, speedup: null, speedupInt8: null };
  const metric = mainMetric(models);
  return {
    retention: retentionOf(metric, metricValue(student, metric), metricValue(teacher, metric)),
    speedup: ratio(student.throughput, teacher.throughput),
    speedupInt8: studentInt8 ? ratio(studentInt8.throughput, teacher.throughput) : null,
  };
}

/** The part of the teacher's value that the student keeps; null where nothing is to be said. */
function retentionOf({ better }: MetricInfo, student: number, teacher: number): number | null {
  const [part, whole] = better === 'higher' ? [student, teacher] : [teacher, student];
  return part >= 0 && whole >= 0 ? ratio(part, whole) : null;
}

/** 0 for a model that gets nothing right or was not timed: JSON has no Infinity. */
function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

/** A number for JSON, which has neither NaN nor infinity. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
