import { z } from 'zod';
import { knowledgeGraphSchema } from '../knowledge/graph/knowledge-graph.ts';
import { runResultSchema } from './result.ts';
import { sampleDynamicsSchema } from './sample-dynamics.ts';
import { SAMPLE_UNITS } from './sample-unit.ts';
import { shownExampleSchema } from './shown-example.ts';
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
  /** Of dynamic weights: what is trained, by coefficient and term (`alpha/kd`). */
  coefficients: z.record(z.string(), z.number()).optional(),
});
export type CurvePoint = z.infer<typeof curvePointSchema>;

/** `counts[truth][predicted]`, square, one row and column per label. */
export const confusionCountsSchema = z.array(z.array(count));
export type ConfusionCounts = z.infer<typeof confusionCountsSchema>;

const confusionPairSchema = z.object({
  truth: count,
  predicted: count,
  count: count,
});
/** Texts of class `truth` that were called `predicted` (indices of labels). */
export type ConfusionPair = z.infer<typeof confusionPairSchema>;

/** Where the student's wrong answers come from. `inherited.count + own.count` is every error it made. */
const errorOriginsSchema = z.object({
  /** The teacher gave the same wrong answer to the same text. */
  inherited: z.object({ count: count, pairs: z.array(confusionPairSchema) }),
  /** The student's alone: the teacher was right, or wrong in another way. */
  own: z.object({ count: count, teacherRight: count, pairs: z.array(confusionPairSchema) }),
  /** Texts that the teacher got wrong and the student right. */
  corrected: count,
  /** Texts with the same answer from both, right or wrong. */
  agreed: count,
  /** Texts compared. */
  total: count,
});
export type ErrorOrigins = z.infer<typeof errorOriginsSchema>;

export const answerSchema = z.object({ label: count, confidence: fraction });
/** A model's answer: the index of its label, and the probability that it gave to it. */
export type Answer = z.infer<typeof answerSchema>;

/** A test text to which teacher and student gave different answers. */
const disagreementSchema = shownExampleSchema.extend({
  truth: count,
  teacher: answerSchema,
  student: answerSchema,
});
export type Disagreement = z.infer<typeof disagreementSchema>;

/** Reliability: answers of which the confidence lies in [low, high), how many, and how they did. */
export const reliabilityBinSchema = z.object({
  low: fraction,
  high: fraction,
  count: count,
  meanConfidence: fraction,
  accuracy: fraction,
});
export type ReliabilityBin = z.infer<typeof reliabilityBinSchema>;

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

function ofModels<T extends z.ZodType>(schema: T) {
  return z.object({ teacher: schema, student: schema, baseline: schema.nullable() });
}

/** Everything that `report.html` and the model card show. Plain JSON, so that a report can be drawn again later. */
export const reportDataSchema = z.object({
  /** The recipe's name. */
  name: z.string(),
  /** What a sample is. */
  unit: z.enum(SAMPLE_UNITS).default('texts'),
  /** ISO 8601, when the run ended. */
  finishedAt: z.string(),
  result: runResultSchema,
  labels: z.array(z.string()),
  /** What each model is, in a few words, e.g. `Universal Sentence Encoder lite and a linear head, int8`. */
  models: z.object({ teacher: z.string(), student: z.string() }),
  /** The teacher's accuracy on the validation split, to compare the learning curves with. */
  teacherValidationAccuracy: fraction.nullable(),
  curves: z.object({
    student: z.array(curvePointSchema),
    baseline: z.array(curvePointSchema).nullable(),
  }),
  confusion: ofModels(confusionCountsSchema),
  errors: errorOriginsSchema,
  disagreements: z.array(disagreementSchema),
  calibration: ofModels(z.array(reliabilityBinSchema)).nullable(),
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
