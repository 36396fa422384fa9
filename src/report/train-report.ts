import { z } from 'zod';
import {
  answerSchema,
  confusionCountsSchema,
  curvePointSchema,
  dataStatisticsSchema,
  reliabilityBinSchema,
  reportWarningSchema,
} from './report-data.ts';
import { trainResultSchema } from './result.ts';
import { sampleDynamicsSchema } from './sample-dynamics.ts';
import { SAMPLE_UNITS } from './sample-unit.ts';
import { shownExampleSchema } from './shown-example.ts';
import { toldStageSchema } from './told-stage.ts';

/** A test sample that the student got wrong. */
const mistakeSchema = shownExampleSchema.extend({
  truth: z.number().int().nonnegative(),
  student: answerSchema,
});
export type Mistake = z.infer<typeof mistakeSchema>;

/** What the student's answers to the test split say of it alone. */
const studentAnswersSchema = z.object({
  confusion: confusionCountsSchema,
  calibration: z.array(reliabilityBinSchema),
  mistakes: z.array(mistakeSchema),
});
export type StudentAnswers = z.infer<typeof studentAnswersSchema>;

/** Everything that `report.html` and the model card show of a training on labels alone. Plain JSON. */
export const trainReportSchema = studentAnswersSchema.extend({
  /** Tells it from the report of a distillation. */
  taughtBy: z.literal('labels'),
  name: z.string(),
  unit: z.enum(SAMPLE_UNITS),
  /** ISO 8601, when the run ended. */
  finishedAt: z.string(),
  result: trainResultSchema,
  labels: z.array(z.string()),
  /** What the student is, in a few words. */
  student: z.string(),
  curve: z.array(curvePointSchema),
  data: dataStatisticsSchema,
  /** Of runs that followed their training samples. */
  dynamics: sampleDynamicsSchema.optional(),
  /** The stages of a run, in their order; reports of earlier versions have none. */
  stages: z.array(toldStageSchema).optional(),
  warnings: z.array(reportWarningSchema),
  /** The resolved recipe, YAML. */
  recipe: z.string(),
});
export type TrainReport = z.infer<typeof trainReportSchema>;
