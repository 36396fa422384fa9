import { z } from 'zod';

const count = z.number().int().nonnegative();
const fraction = z.number().min(0).max(1);
const duration = z.number().nonnegative();

/** What was measured on one model's shipped file, reloaded from disk, on the test split. */
export const modelResultSchema = z.object({
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
  /** Of a quantised file: the share of its multiplications that run in int8. */
  int8Share: fraction.optional(),
  /** The file, relative to the run's folder. */
  file: z.string().optional(),
});
export type ModelResult = z.infer<typeof modelResultSchema>;

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

const difference = z.number().min(-1).max(1);

/** One model's accuracy minus another's on the same test samples, and the 95 % interval that it is known to. */
const differenceSchema = z.object({ difference, low: difference, high: difference });

/** A model that the student is compared with besides its teacher: what one would have without this distillation. */
export const baselineResultSchema = z.object({
  /** `labels` is the same student from the labels alone. */
  name: z.string(),
  /** What it is, for tables: `the same student, from the labels alone`. */
  title: z.string(),
  /** Whose answers it learnt: then it says nothing of what the teacher is worth, but of what the student is. */
  taughtBy: z.enum(['labels', 'teacher']),
  result: modelResultSchema,
  /** The student's accuracy minus this one's. */
  gain: differenceSchema,
});
export type BaselineResult = z.infer<typeof baselineResultSchema>;

/** The baseline of every distillation that is not told otherwise. */
export const LABELS_ALONE = {
  name: 'labels',
  title: 'the same student, from the labels alone',
  taughtBy: 'labels',
} as const satisfies Partial<BaselineResult>;

/**
 * Whether the int8 student may ship: the gate shuts when its accuracy falls by more than `maxDrop`, beyond what the number
 * of test samples leaves to chance.
 */
export const gateSchema = z.object({
  maxDrop: fraction,
  /** Student accuracy - int8 student accuracy; negative when int8 did better. */
  drop: difference,
  /** The 95 % interval of `drop`, from the samples that only one of the two got right. */
  interval: z.object({ low: difference, high: difference }).optional(),
  /** Where `maxDrop` lies: above the interval (`within`), below it (`beyond`), or in it (`unclear`). */
  verdict: z.enum(['within', 'unclear', 'beyond']).optional(),
  /** Test samples that it was measured on. */
  samples: count.optional(),
  /** False for `beyond`: then no int8 file is left in the student's folder. */
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

/** The whole of `result.json`. */
export const runResultSchema = z.object({
  teacher: modelResultSchema,
  student: modelResultSchema,
  /** null when the recipe asks for no int8 file. */
  studentInt8: modelResultSchema.nullable(),
  /** The same student trained on the labels alone; null with `--no-baseline`. */
  baseline: modelResultSchema.nullable(),
  /** Everything that the student is compared with besides its teacher, `baseline` first. */
  baselines: z.array(baselineResultSchema).optional(),
  /** Samples of the test split. */
  testSamples: count.optional(),
  /** The accuracy of always giving the most frequent class of the test split: what knows nothing reaches it. */
  chance: fraction.optional(),
  /** Student accuracy - teacher accuracy. */
  overTeacher: differenceSchema.optional(),
  /** Student accuracy / teacher accuracy. */
  retention: z.number().nonnegative(),
  /** Student throughput / teacher throughput. */
  speedup: z.number().nonnegative(),
  speedupInt8: z.number().nonnegative().nullable(),
  seconds: stageSecondsSchema,
  /** Samples that the teacher answered in this run. */
  teacherCalls: count,
  /** Samples whose answers were in the knowledge store before this run began. */
  teacherCallsSaved: count,
  seed: z.number().int(),
  /** The command that repeats the run. */
  command: z.string(),
  engine: z.string(),
  machine: machineSchema,
  gate: gateSchema.nullable(),
  /** What read the student's folder before it was measured. */
  shippedCheck: shippedCheckSchema.optional(),
  /** Of Limbeck. */
  version: z.string(),
});
export type RunResult = z.infer<typeof runResultSchema>;

/** The whole of `result.json` of `train`: a student without a teacher. */
export const trainResultSchema = runResultSchema.pick({
  student: true,
  studentInt8: true,
  testSamples: true,
  chance: true,
  shippedCheck: true,
  seconds: true,
  seed: true,
  command: true,
  engine: true,
  machine: true,
  gate: true,
  version: true,
});
export type TrainResult = z.infer<typeof trainResultSchema>;

/** A compared model's name in a table's narrow column. */
export function shortName(name: string): string {
  return name === LABELS_ALONE.name ? 'baseline' : name;
}

/** Whether the student's folder holds an int8 file: one was made, and the gate let it pass. */
export function int8Ships({
  studentInt8,
  gate,
}: {
  readonly studentInt8: object | null;
  readonly gate: { readonly passed: boolean } | null;
}): boolean {
  return studentInt8 !== null && gate?.passed !== false;
}

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
