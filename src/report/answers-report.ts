import { z } from 'zod';
import { answersResultSchema, metricInfoSchema } from './answers-result.ts';
import { curvePointSchema, dataStatisticsSchema, reportWarningSchema } from './report-data.ts';
import { sampleDynamicsSchema } from './sample-dynamics.ts';
import { SAMPLE_UNITS } from './sample-unit.ts';
import { sectionSchema } from './targets/section.ts';
import { toldStageSchema } from './told-stage.ts';

/** One evaluation during a training: the main metric on the validation split. */
export const validationPointSchema = z.object({ step: z.number(), seconds: z.number(), value: z.number() });

/** Everything that the report of a run is drawn from whose models answer with anything but one class. */
export const answersReportSchema = z.object({
  /** Tells it from other reports. */
  answers: z.literal('any'),
  name: z.string(),
  unit: z.enum(SAMPLE_UNITS),
  finishedAt: z.string(),
  labels: z.array(z.string()),
  models: z.object({ teacher: z.string().optional(), student: z.string() }),
  result: answersResultSchema,
  curves: z.object({ student: z.array(curvePointSchema), baseline: z.array(curvePointSchema).nullable() }),
  validation: z.object({
    student: z.array(validationPointSchema),
    baseline: z.array(validationPointSchema).nullable(),
  }),
  /** The outputs, the main one first. */
  outputs: z.array(
    z.object({
      name: z.string(),
      /** For people: `several classes`. */
      title: z.string(),
      kind: z.string(),
      metrics: z.array(metricInfoSchema),
      section: sectionSchema.nullable(),
    }),
  ),
  data: dataStatisticsSchema,
  dynamics: sampleDynamicsSchema.optional(),
  warnings: z.array(reportWarningSchema),
  recipe: z.string(),
  stages: z.array(toldStageSchema).optional(),
});
export type AnswersReport = z.infer<typeof answersReportSchema>;
