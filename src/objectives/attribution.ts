import { z } from 'zod';
import { gradients } from '../autodiff/gradients.ts';
import { LimbeckError } from '../errors.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import { attributedName, attributedValue, isTokens } from './attributed-features.ts';
import { attributionMap, mapCosine } from './attribution-map.ts';
import { askedOf, type InnerOutput, innerOutput, readingOf, teacherAnswer } from './inner-output.ts';
import { defineObjective, type ObjectiveContext, type ObjectiveTerm, termWeight } from './objective.ts';
import { MAIN_OUTPUT, namesFor, type OutputNames, outputOption } from './output-names.ts';
import { modelsTo, requiredModels } from './required-models.ts';
import { asBatch, firstRows, partOption, rowsOf } from './row-part.ts';
import { tokenMask } from './token-mean.ts';

const NAME = 'attribution';
const ATTENTION_MASK = 'attention_mask';

/** What is kept of a teacher: its reasons for its answer to an output, float32 [batch, ...places]. */
export function attributionRequest(
  teacher: ModelAnatomy,
  about: InnerOutput = innerOutput(undefined, {}),
): KnowledgeRequest {
  const name = attributedName(teacher, 'teacher', NAME);
  const score = askedOf(about, 'score', NAME);
  return {
    tap: tapOf(teacher, about),
    build(g, graph) {
      const from = { has: (value: string) => graph.has(value), value: (value: string) => graph.value(value) };
      const features = attributedValue(from.value, teacher, 'teacher', NAME);
      const answers = teacherAnswer(g, graph, about, teacher.logits);
      const reading = readingOf(g, answers, about, from);
      const gradient = graph.gradient(score(g, { answers, teacher: answers, ...reading }), name);
      return attributionMap(g, features, gradient, maskOf(g, features, from));
    },
  };
}

/**
 * 1 - cos of the student's and the teacher's attributions for what the teacher decides, for each row: the student must
 * decide for the reasons for which the teacher decides. Training it needs gradients of gradients. A decision is the logit of
 * the teacher's first class, the sum of the logits of all classes that it says yes to, a number, the coordinates that it turns
 * on in a vector: the `score` of the output's target.
 *
 * The student's are those of its evaluation form. In the form that it is trained in, a batch normalisation makes the
 * logits of a sample depend on all samples of the batch: the gradient by a pixel then tells what it did to the logits of
 * others as well, and loses what a channel does for the whole batch alike. By the running statistics it is the gradient
 * that the student which ships will have, and the teacher's is of that kind.
 *
 * Ross, Hughes and Doshi-Velez, "Right for the Right Reasons" (2017), section 3, with a teacher in the place of the
 * annotator; Zagoruyko and Komodakis, "Paying More Attention to Attention" (2017), section 3.2, of gradients.
 */
export function attributionTerm(
  { weight, part }: { weight: number; part: number },
  { student, teacher }: { student: ModelAnatomy; teacher: ModelAnatomy },
  about: InnerOutput = innerOutput(undefined, {}),
  names: OutputNames = namesFor(NAME, undefined, {}),
): ObjectiveTerm {
  const score = askedOf(about, 'score', NAME);
  return {
    name: names.term,
    weight,
    build(g, inputs) {
      const output = about.head || about.side ? about.output : (student.logits ?? about.output);
      const given = inputs.knowledge(about.output, inputs.student(output).shape.slice(1));
      const rows = rowsOf(part, given);
      const run = inputs.rerun(new Map(), { rows, form: 'evaluation' });
      const from = { has: inputs.has, value: run };
      const features = attributedValue(run, student, 'student', NAME);
      const answers = run(output);
      const reading = readingOf(g, answers, about, from);
      const scores = score(g, { answers, teacher: firstRows(g, given, rows), ...reading });
      const [gradient] = gradients(g, g.reduceSum(scores, { keepDims: false }), [features]);
      if (!gradient) throw noInfluence(features, output);
      const own = attributionMap(g, features, gradient, maskOf(g, features, from));
      const dims = isTokens(features) && inputs.has(ATTENTION_MASK) ? ['sequence'] : own.shape.slice(1);
      const wanted = firstRows(g, inputs.knowledge(tapOf(teacher, about), dims), rows);
      const values = g.sub(1, mapCosine(g, own, wanted));
      const all = inputs.input(names.rowWeights, 'float32', [given.shape[0] as number]);
      return asBatch(g, { values, weights: firstRows(g, all, rows) }, given.shape[0] as number);
    },
  };
}

/** The mask of the tokens that attributions are told of, where there is one. */
function maskOf(
  g: GraphBuilder,
  features: TypedValue,
  { has, value }: { has(name: string): boolean; value(name: string): TypedValue },
): TypedValue | undefined {
  return isTokens(features) && has(ATTENTION_MASK) ? tokenMask(g, value(ATTENTION_MASK)) : undefined;
}

function tapOf(teacher: ModelAnatomy, { output, head, side }: InnerOutput): string {
  const name = attributedName(teacher, 'teacher', NAME);
  // Of a class it has always been called so: the store has answers of that name.
  const isUsual = !side && (!head || (head.target.kind === 'class' && output === MAIN_OUTPUT));
  return isUsual ? `attribution/${name}` : `attribution/${output}/${name}`;
}

function noInfluence({ name }: TypedValue, output: string): LimbeckError {
  return new LimbeckError('recipe.no-features', `the student's ${output} do not depend on '${name}'`, {
    where: `objective.${NAME}`,
    remedy: `Set objective.${NAME}.weight to 0 for this student.`,
  });
}

export const attributionObjective = defineObjective({
  kind: NAME,
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(0), output: outputOption, part: partOption(0.5) })
    .describe(
      "1 - cosine of the student's and the teacher's attributions (gradient x input at pixels, token embeddings or the waveform, of what the teacher decides). It differentiates gradients: a step takes two to three times as long.",
    ),
  answers: ({ output }, context) => [namesFor(NAME, output, context).tap],
  knowledge: ({ output }, context) => [
    attributionRequest(modelsOf(output, context).teacher, innerOutput(output, context)),
  ],
  term: (options, context) =>
    attributionTerm(
      options,
      modelsOf(options.output, context),
      innerOutput(options.output, context),
      namesFor(NAME, options.output, context),
    ),
});

/** Both models, as far as they lead to an output. */
function modelsOf(output: string | undefined, context: ObjectiveContext) {
  return modelsTo(output, requiredModels(context, NAME));
}
