import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { askedOf, innerOutput, readingOf, teacherSaid, truthOf } from '../objectives/inner-output.ts';
import { type ObjectiveContext, type ObjectiveInputs, weightedMean } from '../objectives/objective.ts';
import { MAIN_OUTPUT } from '../objectives/output-names.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { weightMetrics } from './weight-metrics.ts';
import type { StepWeighting } from './weighting.ts';

/** What is trained of dynamic weights: a number for each term, by the cause that it multiplies. */
export const COEFFICIENTS = ['alpha', 'beta', 'gamma'] as const;
export type Coefficient = (typeof COEFFICIENTS)[number];

/** The step's input that holds a coefficient of all terms, float32 [terms]. */
export function coefficientInput(coefficient: Coefficient): string {
  return `weighting/${coefficient}`;
}

/** The step's input that tells how far each term has lowered the validation loss of late, float32 [terms]. */
export const EFFECT_INPUT = 'weighting/effect';

export interface DynamicWeightsOptions {
  /** The terms that have coefficients, in their order there: those of all stages of a training. */
  readonly names: readonly string[];
  /** The student's outputs; absent for a model that answers one class. */
  readonly context?: Pick<ObjectiveContext, 'heads' | 'mainOutput' | 'spreads'>;
}

/** What weights follow of an output: float32 [batch], 0 to 1 each. */
interface Causes {
  readonly C: TypedValue;
  readonly D: TypedValue;
}

/**
 * W = 2 sigmoid(alpha C + beta D + gamma E) for each term, and for each row where the term tells its rows: C is how uncertain
 * the teacher is of the output that the term is about (of classes: its entropy), D how far student and teacher are apart
 * there, E what the term has done for the validation loss of late. With alpha = beta = gamma = 0 every factor is 1: the start
 * is the recipe's weights, and a term counts at most twice as much. No gradient flows through W to the student.
 *
 * What C and D are for a kind of answers its target says (`InnerKnowledge.uncertainty`, `distance`); terms that are about no
 * output follow the main one.
 *
 * Metrics: `weight/TERM`, `cause/complexity`, `cause/divergence` (of another output than the main one with `/OUTPUT`),
 * `cause/effect/TERM`.
 */
export function dynamicWeights({ names, context = {} }: DynamicWeightsOptions): StepWeighting {
  const main = context.mainOutput ?? MAIN_OUTPUT;
  return {
    weigh(g, terms, inputs) {
      if (!inputs.has(main)) throw withoutAnswers(main);
      const rowWeights = inputs.rowWeights();
      const known = new Map<string, Causes>();
      const causesOf = (output: string): Causes => {
        const found = known.get(output) ?? measured(g, inputs, output);
        known.set(output, found);
        return found;
      };
      causesOf(main);
      const mean = (value: TypedValue) => weightedMean(g, value, rowWeights);
      const settings = { alpha: vector('alpha'), beta: vector('beta'), gamma: vector('gamma') };
      const effect = inputs.input(EFFECT_INPUT, 'float32', [names.length]);
      const effects = terms.map(({ name }) => ofTerm(g, effect, name));
      const factors = terms.map(({ name, rows }, i) => {
        const causes = causesOf(outputOf(name, inputs));
        const [C, D] = rows ? [causes.C, causes.D] : [mean(causes.C), mean(causes.D)];
        const [alpha, beta, gamma] = COEFFICIENTS.map((coefficient) =>
          ofTerm(g, settings[coefficient], name),
        ) as [TypedValue, TypedValue, TypedValue];
        const sum = g.add(g.add(g.mul(C, alpha), g.mul(D, beta)), g.mul(gamma, effects[i] as TypedValue));
        return g.mul(g.sigmoid(sum), 2);
      });
      const named = (stem: string, output: string) => (output === main ? stem : `${stem}/${output}`);
      return {
        factors,
        metrics: new Map([
          ...weightMetrics(g, terms, factors, rowWeights),
          ...[...known].flatMap(([output, { C, D }]) => [
            [named('cause/complexity', output), mean(C)] as const,
            [named('cause/divergence', output), mean(D)] as const,
          ]),
          ...terms.map(({ name }, i) => [`cause/effect/${name}`, effects[i] as TypedValue] as const),
        ]),
      };

      function vector(coefficient: Coefficient): TypedValue {
        return coefficientVector(inputs, coefficient, names.length);
      }
    },
  };

  function measured(g: GraphBuilder, inputs: ObjectiveInputs, output: string): Causes {
    const about = innerOutput(output, context);
    const uncertainty = askedOf(about, 'uncertainty', 'dynamic weights');
    const distance = askedOf(about, 'distance', 'dynamic weights');
    const answers = inputs.student(output);
    const teacher = teacherSaid(inputs, output);
    const reading = readingOf(g, answers, about, { has: inputs.has, value: inputs.student });
    const truth = about.inner.sureOfItself ? undefined : truthOf(inputs, about);
    return {
      C: uncertainty(g, { answers: teacher, truth, ...reading }),
      D: distance(g, { answers, teacher, ...reading }),
    };
  }

  /** The output that a term is about, by its name (`KIND/OUTPUT`); the main one of those about no output, or about two. */
  function outputOf(term: string, inputs: ObjectiveInputs): string {
    const [, output] = term.split('/');
    const { heads = [] } = context;
    const isSide = output !== undefined && innerOutput(output, context).side !== undefined;
    const isOutput = isSide || heads.some((head) => head.output === output);
    return output !== undefined && isOutput && inputs.has(output) ? output : main;
  }

  /** A term's element of a vector over all terms, float32 []. */
  function ofTerm(g: GraphBuilder, vector: TypedValue, name: string): TypedValue {
    const place = names.indexOf(name);
    if (place < 0) throw new Error(`dynamic weights were made for ${names.join(', ')}, not for ${name}`);
    return g.squeeze(g.slice(vector, 0, place, place + 1), [0]);
  }
}

function withoutAnswers(main: string): LimbeckError {
  return new LimbeckError(
    'recipe.invalid',
    `dynamic weights follow how certain the teacher is about '${main}', and this student has no such output`,
    {
      where: 'weighting.kind',
      remedy: 'Take gradient-norms, uncertainty or fixed weights, which need no answers.',
    },
  );
}

/** A coefficient of all terms as it goes into a step. */
export function coefficientVector(
  inputs: ObjectiveInputs,
  coefficient: Coefficient,
  terms: number,
): TypedValue {
  return inputs.input(coefficientInput(coefficient), 'float32', [terms]);
}

export const dynamic = {
  kind: 'dynamic',
  options: z
    .strictObject({
      every: z
        .int()
        .positive()
        .default(10)
        .describe('Steps between two steps of alpha, beta and gamma; one costs two to four training steps.'),
      learningRate: z
        .number()
        .positive()
        .max(10)
        .default(0.05)
        .describe('Of alpha, beta and gamma (Adam): about how far each goes in one of their steps.'),
      limit: z
        .number()
        .positive()
        .max(100)
        .default(5)
        .describe('alpha, beta and gamma stay between -limit and limit.'),
      memory: z
        .number()
        .min(0)
        .lt(1)
        .default(0.9)
        .describe("What is kept of a term's effect when it is measured anew."),
    })
    .describe(
      'W = 2 sigmoid(alpha C + beta D + gamma E) for each term and sample: uncertainty of the teacher (of classes: the entropy), distance of student and teacher, effect on the validation loss; alpha, beta and gamma are trained on the validation split (docs/dynamic-weights.md).',
    ),
} as const;

/** The options of dynamic weights as a recipe gives them. */
export type DynamicWeightingOptions = z.output<(typeof dynamic)['options']>;
