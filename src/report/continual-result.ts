import { z } from 'zod';
import { averageAccuracy, backwardTransfer, forgetting, meanAccuracy } from './continual-metrics.ts';
import { trainResultSchema } from './result.ts';

const fraction = z.number().min(0).max(1);
const difference = z.number().min(-1).max(1);
const matrix = z.array(z.array(fraction));

/** What one method came to. */
const methodResultSchema = z.object({
  method: z.string(),
  /** R[i][j]: accuracy on the test samples of task j after task i was learnt; one row for `joint`. */
  matrix,
  /** The same on the validation split: the one to choose settings by. */
  validation: matrix,
  /** After each task: over the tasks so far. */
  after: z.array(z.object({ accuracy: fraction, forgetting: difference, backwardTransfer: difference })),
  /** After the last task. */
  accuracy: fraction,
  forgetting: difference,
  backwardTransfer: difference,
  /** Its forgetting as a part of naive fine-tuning's; null without naive, or where that forgot nothing. */
  forgettingOfNaive: z.number().nullable(),
});
export type ContinualMethodResult = z.infer<typeof methodResultSchema>;

/** The whole of a continual run's `result.json`. */
export const continualResultSchema = z.object({
  name: z.string(),
  /** `images` or `texts`. */
  unit: z.string(),
  setting: z.enum(['class-incremental', 'task-incremental']),
  tasks: z.array(
    z.object({
      classes: z.array(z.string()),
      /** Samples to learn from, and to be measured on. */
      train: z.number().int().nonnegative(),
      validation: z.number().int().nonnegative(),
      test: z.number().int().nonnegative(),
    }),
  ),
  methods: z.array(methodResultSchema),
  /** The student that the run leaves in `student/`, and what it was measured at over all classes. */
  shipped: trainResultSchema
    .pick({
      metrics: true,
      student: true,
      studentInt8: true,
      testSamples: true,
      chance: true,
      shippedCheck: true,
      gate: true,
      further: true,
    })
    .extend({ method: z.string() })
    .optional(),
  /** For people. */
  student: z.string(),
  seconds: z.number().nonnegative(),
  seed: z.number().int(),
  command: z.string(),
  engine: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.number(), node: z.string(), memoryPeakBytes: z.number() }),
  /** Of Limbeck. */
  version: z.string(),
});
export type ContinualResult = z.infer<typeof continualResultSchema>;

/** The measures of each method from its matrices; `naive` is what forgetting is compared with. */
export function methodResults(
  measured: readonly Pick<ContinualMethodResult, 'method' | 'matrix' | 'validation'>[],
): ContinualMethodResult[] {
  const naive = measured.find(({ method }) => method === 'naive');
  const most = naive ? forgetting(naive.matrix) : 0;
  return measured.map((one) => {
    const { matrix: accuracies } = one;
    const forgets = learnsInTurn(one);
    const after = accuracies.map((row, k) => ({
      accuracy: forgets ? averageAccuracy(accuracies, k) : meanAccuracy(row),
      forgetting: forgets ? forgetting(accuracies, k) : 0,
      backwardTransfer: forgets ? backwardTransfer(accuracies, k) : 0,
    }));
    const last = after.at(-1) as (typeof after)[number];
    return {
      ...one,
      after,
      ...last,
      forgettingOfNaive: forgets && most > 0 ? last.forgetting / most : null,
    };
  });
}

/** Whether a method learns task after task: `joint` learns all at once, and has nothing to forget. */
export function learnsInTurn({ method }: Pick<ContinualMethodResult, 'method'>): boolean {
  return method !== 'joint';
}
