import { z } from 'zod';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import {
  defineObjective,
  type ObjectiveInputs,
  type ObjectiveTerm,
  type RowLosses,
  termWeight,
} from './objective.ts';
import { namesFor, type OutputNames, outputOption } from './output-names.ts';
import { klDivergence, softened, squared, type Temperature } from './soft-targets.ts';

/** The input of a step whose temperature changes while it trains, float32 []; `temperature/OUTPUT` for another output than the main one. */
export const TEMPERATURE = 'temperature';

/** The temperature of a step that is built before anybody has looked at the teacher's answers. */
const UNDECIDED_TEMPERATURE = 2;

export interface KdLogitsInputs {
  /** float32 [B, C] */
  student: TypedValue;
  /** float32 [B, C]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [B]: how much each row counts. */
  rowWeights: TypedValue;
  temperature: Temperature;
  /** Whether both sides are standardised first (`standardized`); false when absent. */
  standardize?: boolean;
}

/**
 * KL divergence from the teacher's softened class distribution to the student's, times tau squared, so that its
 * gradient keeps its size as tau changes. In nats, for each row.
 *
 * Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2.
 */
export function kdLogits(
  g: GraphBuilder,
  { student, teacher, rowWeights, temperature, standardize = false }: KdLogitsInputs,
): RowLosses {
  const soften = (logits: TypedValue) =>
    softened(g, standardize ? standardized(g, logits) : logits, temperature);
  const perRow = klDivergence(g, soften(teacher), soften(student));
  return { values: g.mul(perRow, squared(g, temperature)), weights: rowWeights };
}

/** Rows whose logits are all alike have no deviation: they stay at 0, and so does their slope. */
const LEAST_VARIANCE = 1e-6;

/**
 * Each row with mean 0 and deviation 1 over its classes, [B, C] -> [B, C]: the student is then free of the size of the
 * teacher's logits, and learns their relations alone.
 *
 * Sun, Ren, Li, Wang and Cao, "Logit Standardization in Knowledge Distillation" (2024), equations 8-9 and algorithm 1.
 */
export function standardized(g: GraphBuilder, logits: TypedValue): TypedValue {
  const centred = g.sub(logits, g.reduceMean(logits, { axes: [1] }));
  const variance = g.reduceMean(g.square(centred), { axes: [1] });
  return g.div(centred, g.sqrt(g.add(variance, LEAST_VARIANCE)));
}

export interface KdOptions {
  readonly weight: number;
  readonly temperature: number | 'auto';
  readonly decay?: 'constant' | 'learning-rate';
  readonly standardize?: boolean;
  /** How much a second teacher counts beside the first, and its graph; nothing happens without both. */
  readonly assistant?: number;
  readonly assistantGraph?: Graph | undefined;
}

/** The term `kd`: the student's logits towards the teacher's; those of the main output without `names`. */
export function kdTerm(
  options: KdOptions,
  names: OutputNames = namesFor('kd', undefined, {}),
): ObjectiveTerm {
  const { weight, standardize, decay } = options;
  const fixed = options.temperature === 'auto' ? UNDECIDED_TEMPERATURE : options.temperature;
  return {
    name: names.term,
    weight,
    build(g, inputs) {
      const { answers, teacher, rowWeights } = answerMatrix(g, inputs, names);
      return kdLogits(g, {
        student: answers,
        teacher: assisted(g, inputs, teacher(), options),
        rowWeights: rowWeights(),
        temperature: decay === 'learning-rate' ? inputs.input(names.of(TEMPERATURE), 'float32', []) : fixed,
        standardize,
      });
    },
  };
}

/**
 * The teacher's logits with those of its assistant, as log-probabilities: log p + weight log q. Errors that only one of two
 * different models makes count less then, and what both say counts more.
 */
function assisted(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  teacher: TypedValue,
  { assistant: weight = 0, assistantGraph: graph }: KdOptions,
): TypedValue {
  if (weight === 0 || !graph) return teacher;
  const bound = new Map(graph.inputs.map(({ name }) => [name, inputs.student(name)]));
  const values = g.scope('assistant', () => g.inline(graph, bound));
  const logits = values.get('logits');
  if (!logits) throw new Error(`${graph.name} has no output logits`);
  return g.add(g.logSoftmax(teacher), g.mul(g.logSoftmax(logits), weight));
}

/** The option `temperature` of the losses that soften both sides by one number; 0 and less have no softmax. */
export function temperatureOption(temperature: number) {
  return z.number().min(0.1).max(100).default(temperature);
}

export const kd = defineObjective({
  kind: 'kd',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(0.9),
      output: outputOption,
      temperature: z
        .union([z.number().min(0.1).max(100), z.literal('auto')])
        .default('auto')
        .describe(
          "Softens both distributions; the term is scaled by its square (Hinton et al., 2015). `auto` chooses by the entropy of the teacher's answers: 1 where they are certain, 3 to 5 where they are not.",
        ),
      decay: z
        .enum(['constant', 'learning-rate'])
        .default('constant')
        .describe('Whether the temperature falls to 1 as the learning rate falls.'),
      standardize: z
        .boolean()
        .default(false)
        .describe('Whether each row of logits is given mean 0 and deviation 1 first (Sun et al., 2024).'),
      assistant: z
        .number()
        .min(0)
        .max(100)
        .default(0)
        .describe(
          "How much the run's linear peer, which learns the teacher's answers first, has a say in what the student learns: its log-probabilities are added to the teacher's, so often. 0: none.",
        ),
    })
    .describe("KL divergence to the teacher's class distribution. Left out when there is no teacher."),
  compiled: { temperature: UNDECIDED_TEMPERATURE },
  answers: ({ output }, context) => [namesFor('kd', output, context).tap],
  term(options, context) {
    const names = namesFor('kd', options.output, context);
    // The assistant learnt to answer what the main output answers.
    const isMain = names.term === 'kd';
    return kdTerm({ ...options, assistantGraph: isMain ? context.assistant : undefined }, names);
  },
});
