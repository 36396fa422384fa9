import { z } from 'zod';
import { gateSchema, modelResultSchema, runResultSchema } from './result.ts';

/** A metric's value; null where there was nothing that it could be made of (JSON has no NaN). */
const value = z.number().nullable();

/** What was measured on one model's file, reloaded from disk, on the test split: whatever its outputs are. */
const answersModelSchema = modelResultSchema.omit({ accuracy: true, macroF1: true }).extend({
  /** By the names of the metrics; `OUTPUT/NAME` where there are several outputs. */
  metrics: z.record(z.string(), value),
});
export type AnswersModel = z.infer<typeof answersModelSchema>;

export const metricInfoSchema = z.object({
  name: z.string(),
  title: z.string(),
  better: z.enum(['higher', 'lower']),
  format: z.enum(['percent', 'number']),
});

/**
 * How much better the student is by the main metric, with a 95 % interval: a difference where more is better, the part by
 * which it is less where less is. No bounds where the samples were too few for them.
 */
const gainSchema = z.object({ difference: value, low: value, high: value });
export type Gain = z.infer<typeof gainSchema>;

/** A teacher that was asked somewhere else: no file, so neither size nor speed, but a price. */
const hostedTeacherSchema = z.object({
  title: z.string(),
  host: z.string(),
  /** As the endpoint named it. */
  model: z.string(),
  /** How its answers became labels: `soft labels from log-probabilities`. */
  answers: z.array(z.string()),
  /** Requests of all runs that shared its answers. */
  requests: z.number().int().nonnegative(),
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  money: z.number().nullable(),
  currency: z.string(),
  /** Whether nobody else knows what is true of the test samples: numbers are agreement with it. */
  decides: z.boolean(),
  /** Measured on the test samples that it answered; absent where nobody else knows the truth, or it was not asked. */
  measured: z
    .object({
      samples: z.number().int(),
      unanswered: z.number().int(),
      metrics: z.record(z.string(), value),
      /** How much better the student is on the same samples. */
      studentGain: gainSchema,
    })
    .optional(),
});
export type HostedTeacherResult = z.infer<typeof hostedTeacherSchema>;

const comparedSchema = z.object({
  name: z.string(),
  title: z.string(),
  taughtBy: z.enum(['labels', 'teacher']),
  result: answersModelSchema,
  gain: gainSchema,
});

/** `result.json` of a run whose models answer with anything but one class: of `distill`, and of `train` without a teacher. */
export const answersResultSchema = runResultSchema
  .pick({
    testSamples: true,
    shippedCheck: true,
    seconds: true,
    seed: true,
    command: true,
    engine: true,
    machine: true,
    version: true,
  })
  .extend({
    /** What the models are judged by: the first is the main output's own, by which they are compared. */
    metrics: z.array(metricInfoSchema).min(1),
    student: answersModelSchema,
    studentInt8: answersModelSchema.nullable(),
    teacher: answersModelSchema.optional(),
    hostedTeacher: hostedTeacherSchema.optional(),
    baselines: z.array(comparedSchema).optional(),
    overTeacher: gainSchema.optional(),
    /** Of the main metric: the student's value / the teacher's, or the other way round where less is better. */
    retention: value.optional(),
    speedup: value.optional(),
    teacherCalls: z.number().int().nonnegative().optional(),
    teacherCallsSaved: z.number().int().nonnegative().optional(),
    /** `drop` is the gain that int8 loses. */
    gate: gateSchema
      .extend({ drop: z.number(), interval: z.object({ low: z.number(), high: z.number() }).optional() })
      .nullable(),
  });
export type AnswersResult = z.infer<typeof answersResultSchema>;

/** Whether a result is one of a run whose models answer with anything but one class. */
export function isAnswersResult(result: object): result is AnswersResult {
  return 'metrics' in result;
}
