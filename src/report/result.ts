import { z } from 'zod';

const count = z.number().int().nonnegative();
const fraction = z.number().min(0).max(1);
const duration = z.number().nonnegative();

/** What was measured on one model's shipped file, reloaded from disk, on the test split. */
const modelResultSchema = z.object({
  /** Correct answers / test texts, 0 to 1. */
  accuracy: fraction,
  /** Mean F1 over the classes that occur in the test split, 0 to 1. */
  macroF1: fraction,
  /** Trained and frozen numbers in the graph. */
  parameters: count,
  /** Size of the file (with its external data) on disk. */
  bytes: count,
  /** Median wall time of one call, tokens given, in milliseconds: for a batch of one text and of 32 texts. */
  latencyMs: z.object({ one: duration, thirtyTwo: duration }),
  /** Texts a second in batches of 32. */
  throughput: duration,
  /**
   * Where the objective teaches the teacher's reasons: the mean cosine of the model's attributions (gradient x input) with
   * the teacher's over the first test samples, -1 to 1.
   */
  attributionCosine: z.number().min(-1.0001).max(1.0001).optional(),
  /** The file, relative to the run's folder. */
  file: z.string().optional(),
});
export type ModelResult = z.infer<typeof modelResultSchema>;

/** Wall time by stage, in seconds; a stage that was skipped took 0. */
const stageSecondsSchema = z.object({
  data: duration,
  teacher: duration,
  label: duration,
  train: duration,
  baseline: duration,
  export: duration,
  evaluate: duration,
  report: duration,
  /** Of the whole run; with a resumed run, of all its parts. */
  total: duration,
});
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

/** Whether the int8 student may ship: its accuracy must not fall by more than `maxDrop`. */
const gateSchema = z.object({
  maxDrop: fraction,
  /** Student accuracy - int8 student accuracy; negative when int8 did better. */
  drop: z.number().min(-1).max(1),
  passed: z.boolean(),
  /**
   * When it did not pass: the layers that cost most, worst first. `loss` is the rise of the mean cross-entropy on the
   * validation split, in nats, with that layer alone in int8.
   */
  layers: z.array(z.object({ layer: z.string(), loss: z.number() })).optional(),
});
export type Gate = z.infer<typeof gateSchema>;

/** `conv/weights (0.031), head/weights (0.002)`: the layers that a shut gate names; empty when it names none. */
export function gateLayers({ layers = [] }: Gate): string {
  return layers.map(({ layer, loss }) => `${layer} (${loss.toPrecision(2)})`).join(', ');
}

/** The whole of `result.json`. */
export const runResultSchema = z.object({
  teacher: modelResultSchema,
  student: modelResultSchema,
  /** null when the recipe asks for no int8 file. */
  studentInt8: modelResultSchema.nullable(),
  /** The same student trained on the labels alone; null with `--no-baseline`. */
  baseline: modelResultSchema.nullable(),
  /** Student accuracy / teacher accuracy. */
  retention: z.number().nonnegative(),
  /** Student throughput / teacher throughput. */
  speedup: z.number().nonnegative(),
  speedupInt8: z.number().nonnegative().nullable(),
  seconds: stageSecondsSchema,
  /** Texts that the teacher answered in this run. */
  teacherCalls: count,
  /** Texts whose answers were already in the knowledge store. */
  teacherCallsSaved: count,
  seed: z.number().int(),
  /** The command that repeats the run. */
  command: z.string(),
  engine: z.string(),
  machine: machineSchema,
  gate: gateSchema.nullable(),
  /** Of Limbeck. */
  version: z.string(),
});
export type RunResult = z.infer<typeof runResultSchema>;

/** Retention and speedups follow from the models; this computes them in one place. */
export function compareModels(
  models: Pick<RunResult, 'teacher' | 'student' | 'studentInt8'>,
): Pick<RunResult, 'retention' | 'speedup' | 'speedupInt8'> {
  const { teacher, student, studentInt8 } = models;
  return {
    retention: ratio(student.accuracy, teacher.accuracy),
    speedup: ratio(student.throughput, teacher.throughput),
    speedupInt8: studentInt8 ? ratio(studentInt8.throughput, teacher.throughput) : null,
  };
}

/** 0 for a model that gets nothing right or was not timed: JSON has no Infinity. */
function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
