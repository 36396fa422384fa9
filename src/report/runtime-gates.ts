import { z } from 'zod';
import { PRECISIONS, type Precision } from '../export/precisions.ts';
import { BOUND_KINDS } from '../runtimes/bounds.ts';
import { RUNTIMES } from '../runtimes/measurement.ts';

const count = z.number().int().nonnegative();

/** One bound of the student in a runtime, and what was measured against it. */
const boundSchema = z.object({
  /** `p50` and `p90` of one sample's call in milliseconds, the file's `bytes`, or the main `metric` of its answers there. */
  kind: z.enum(BOUND_KINDS),
  allowed: z.number(),
  /** null where there was nothing that it could be made of. */
  value: z.number().nullable(),
  /**
   * What the value is known to: of times the least and the largest of all starts, of the metric its 95 % interval. None of
   * bytes, and where the samples were too few for one.
   */
  interval: z.object({ low: z.number(), high: z.number() }).optional(),
  /** Whether the whole interval keeps to the bound, none of it does, or the bound lies in it. */
  verdict: z.enum(['within', 'unclear', 'beyond']),
  /**
   * Of a bound that was exceeded: the layers that cost most. `cost` is a part of the time of a call, the bytes of their weights,
   * or what int8 of the layer alone costs on the validation split.
   */
  layers: z.array(z.object({ layer: z.string(), cost: z.number() })).optional(),
});
export type RuntimeBound = z.infer<typeof boundSchema>;

/** Whether the student keeps to the recipe's bounds in a runtime that will run it. */
export const runtimeGateSchema = z.object({
  on: z.enum(RUNTIMES),
  file: z.enum(Object.keys(PRECISIONS) as Precision[]),
  threads: count,
  /** The runtime with its version and device; absent where it did not run the file. */
  runtime: z.string().optional(),
  /** Why it does not run the file, where it does not: then no bound was measured. */
  problem: z.string().optional(),
  bounds: z.array(boundSchema),
  /** How often it was started to be timed, and the calls of all starts. */
  starts: count.optional(),
  calls: count.optional(),
  /** Test samples that the metric was measured on. */
  samples: count.optional(),
  /** False where a bound was exceeded, or the file does not run there: then no student is left in the folder that ships. */
  passed: z.boolean(),
});
export type RuntimeGate = z.infer<typeof runtimeGateSchema>;

/** Whether the student ships: it keeps to its bounds in every runtime that the recipe names. */
export function studentShips({
  runtimeGates = [],
}: {
  readonly runtimeGates?: readonly Pick<RuntimeGate, 'passed'>[] | undefined;
}): boolean {
  return runtimeGates.every(({ passed }) => passed);
}
