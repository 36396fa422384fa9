import { z } from 'zod';
import { knowledgeGraphSchema } from '../knowledge/graph/knowledge-graph.ts';
import { isDistilled, type RunResult, runResultSchema, trainResultSchema } from './result.ts';
import { sampleDynamicsSchema } from './sample-dynamics.ts';
import { SAMPLE_UNITS } from './sample-unit.ts';
import { sectionSchema } from './targets/section.ts';
import { toldStageSchema } from './told-stage.ts';

const count = z.number().int().nonnegative();
const fraction = z.number().min(0).max(1);

/** One row of a training's metrics: losses and gradient norms by term (`kd`, `labels`, `total`, ...). */
export const curvePointSchema = z.object({
  step: count,
  /** Since this training began. */
  seconds: z.number().nonnegative(),
  /** Each term before its weight, and the weighted sum as `total`. */
  losses: z.record(z.string(), z.number()),
  /** L2 norm of each term's weighted gradient over all parameters, and of their sum as `total`; before clipping. */
  gradientNorms: z.record(z.string(), z.number()),
  validationAccuracy: fraction.optional(),
  /** Of trainings in stages: the name of the stage. */
  trainingStage: z.string().optional(),
  learningRate: z.number().optional(),
  /** Where weights change over time: by what each term counts in the loss, the mean over rows. */
  weights: z.record(z.string(), z.number()).optional(),
  /** Of dynamic weights: what they are made from, by cause (`complexity`, `effect/kd`). */
  causes: z.record(z.string(), z.number()).optional(),
  /** Of trainings in which the student writes: lengths, repetition, shares of the time. */
  written: z.record(z.string(), z.number()).optional(),
  /** Of dynamic weights: what is trained, by coefficient and term (`alpha/kd`). */
  coefficients: z.record(z.string(), z.number()).optional(),
});
export type CurvePoint = z.infer<typeof curvePointSchema>;

/** What the data stage read. */
export const dataStatisticsSchema = z.object({
  /** For people, e.g. `WordNet 3.1 noun glosses`. */
  title: z.string(),
  rows: count,
  splits: z.object({ train: count, validation: count, test: count }),
  /** Training texts of which the label is used; the rest are taught by the teacher alone. */
  labelled: count,
  broken: count,
  /** The first few broken rows, for the person. */
  brokenExamples: z.array(z.object({ where: z.string(), problem: z.string() })),
  duplicates: count,
  /** Texts by length in tokens: `from` <= length < `to`. */
  lengths: z.array(z.object({ from: count, to: count, count: count })),
  /** Texts longer than the recipe's maxLength, of which the end was cut. */
  cut: count,
});
export type DataStatistics = z.infer<typeof dataStatisticsSchema>;

export const reportWarningSchema = z.object({
  /** One sentence with the numbers, e.g. `The int8 teacher agrees on 97.1 % (below 99 %): f32 labelled.` */
  message: z.string(),
  /** `note` for decisions that are fine to know, `warning` for what the person should look into. */
  level: z.enum(['note', 'warning']),
});

/** What the teacher's answers rest on, and which of its layers taught which of the student's. */
const graphReportSchema = z.object({
  graph: knowledgeGraphSchema,
  /** Names of layers; empty where no layers were found in the student. */
  layers: z.array(z.object({ student: z.string(), teacher: z.string(), weight: z.number() })),
  /** Who chose them: `graph`, `uniform`, `last`, or `recipe` for pairs. */
  chosenBy: z.enum(['graph', 'uniform', 'last', 'recipe']),
});
export type GraphReport = z.infer<typeof graphReportSchema>;

/** One evaluation during a training: the main metric on the validation split. */
const validationPointSchema = z.object({ step: z.number(), seconds: z.number(), value: z.number() });
export type ValidationPoint = z.infer<typeof validationPointSchema>;

/** Everything that `report.html` and the model card show. Plain JSON, so that a report can be drawn again later. */
export const reportDataSchema = z.object({
  /** The recipe's name. */
  name: z.string(),
  /** What a sample is. */
  unit: z.enum(SAMPLE_UNITS),
  /** ISO 8601, when the run ended. */
  finishedAt: z.string(),
  /** With a teacher where the student had one. */
  result: z.union([runResultSchema, trainResultSchema.extend({ teacherCalls: z.undefined().optional() })]),
  /** Class names of the main output; empty where it has none. */
  labels: z.array(z.string()),
  /** What each model is, in a few words, e.g. `Universal Sentence Encoder lite and a linear head, int8`. */
  models: z.object({ teacher: z.string().optional(), student: z.string() }),
  /** Of teachers from a hub: their names there, and their licences; null where nothing says one. */
  teacherLicences: z.array(z.object({ model: z.string(), license: z.string().nullable() })).optional(),
  /** The teacher's main metric on the validation split, to compare the learning curves with; null where it is not known. */
  teacherValidation: z.number().nullable(),
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
      /** Of its target: `classes`. */
      kind: z.string(),
      /** What the page shows of its answers; null where there is nothing. */
      section: sectionSchema.nullable(),
    }),
  ),
  data: dataStatisticsSchema,
  /** Of runs that drew their teacher's knowledge graph. */
  knowledgeGraph: graphReportSchema.optional(),
  /** Of runs that followed their training samples. */
  dynamics: sampleDynamicsSchema.optional(),
  /** The stages of a run, in their order; reports of earlier versions have none. */
  stages: z.array(toldStageSchema).optional(),
  warnings: z.array(reportWarningSchema),
  /** The resolved recipe, YAML. */
  recipe: z.string(),
});
export type ReportData = z.infer<typeof reportDataSchema>;
/** Of a student that had a teacher. */
export type DistillReport = ReportData & { readonly result: RunResult };

/** Whether a report is of a student that had a teacher. */
export function isDistillReport(data: ReportData): data is DistillReport {
  return isDistilled(data.result);
}
