import { z } from 'zod';
import { gradients } from '../autodiff/gradients.ts';
import { LimbeckError } from '../errors.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import { attributedName, attributedValue, isPixels } from './attributed-features.ts';
import { attributionMap, mapCosine } from './attribution-map.ts';
import { classLogit, topClass } from './class-logit.ts';
import { defineObjective, type ObjectiveTerm, termWeight } from './objective.ts';
import { MAIN_OUTPUT } from './output-names.ts';
import { requiredModels } from './required-models.ts';
import { asBatch, firstRows, partOption, rowsOf } from './row-part.ts';
import { tokenMask } from './token-mean.ts';

const NAME = 'attribution';
const ATTENTION_MASK = 'attention_mask';

/** What is kept of a teacher: its attributions for the class that it ranks first, float32 [batch, H, W] or [batch, sequence]. */
export function attributionRequest(teacher: ModelAnatomy): KnowledgeRequest {
  const { logits = 'logits' } = teacher;
  const name = attributedName(teacher, 'teacher', NAME);
  return {
    tap: tapOf(teacher),
    build(g, graph) {
      const features = attributedValue((value) => graph.value(value), teacher, 'teacher', NAME);
      const answers = graph.value(logits);
      const gradient = graph.gradient(classLogit(g, answers, topClass(g, answers)), name);
      return mapOf(g, features, gradient, (value) => graph.value(value));
    },
  };
}

/**
 * 1 - cos of the student's and the teacher's attributions for the class that the teacher ranks first, for each row: the
 * student must decide for the reasons for which the teacher decides. Training it needs gradients of gradients.
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
  { classes, student, teacher }: { classes: number; student: ModelAnatomy; teacher: ModelAnatomy },
): ObjectiveTerm {
  return {
    name: NAME,
    weight,
    build(g, inputs) {
      const { logits = 'logits' } = student;
      const given = inputs.knowledge('logits', [classes]);
      const rows = rowsOf(part, given);
      const run = inputs.rerun(new Map(), { rows, form: 'evaluation' });
      const features = attributedValue(run, student, 'student', NAME);
      const top = topClass(g, firstRows(g, given, rows));
      const decided = g.reduceSum(classLogit(g, run(logits), top), { keepDims: false });
      const [gradient] = gradients(g, decided, [features]);
      if (!gradient) throw noInfluence(features);
      const own = mapOf(g, features, gradient, run);
      const dims = isPixels(features) ? (own.shape.slice(1) as number[]) : ['sequence'];
      const wanted = firstRows(g, inputs.knowledge(tapOf(teacher), dims), rows);
      const values = g.sub(1, mapCosine(g, own, wanted));
      const weights = firstRows(g, inputs.rowWeights(), rows);
      return asBatch(g, { values, weights }, given.shape[0] as number);
    },
  };
}

function mapOf(
  g: GraphBuilder,
  features: TypedValue,
  gradient: TypedValue,
  value: (name: string) => TypedValue,
): TypedValue {
  const mask = isPixels(features) ? undefined : tokenMask(g, value(ATTENTION_MASK));
  return attributionMap(g, features, gradient, mask);
}

function tapOf(teacher: ModelAnatomy): string {
  return `attribution/${attributedName(teacher, 'teacher', NAME)}`;
}

function noInfluence({ name }: TypedValue): LimbeckError {
  return new LimbeckError('recipe.no-features', `the student's logits do not depend on '${name}'`, {
    where: `objective.${NAME}`,
    remedy: `Set objective.${NAME}.weight to 0 for this student.`,
  });
}

export const attributionObjective = defineObjective({
  kind: NAME,
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(0), part: partOption(0.5) })
    .describe(
      "1 - cosine of the student's and the teacher's attributions (gradient x input at pixels or token embeddings, of the teacher's first class). It differentiates gradients: a step takes two to three times as long.",
    ),
  answers: () => [MAIN_OUTPUT],
  knowledge: (_, context) => [attributionRequest(requiredModels(context, NAME).teacher)],
  term: (options, context) =>
    attributionTerm(options, { classes: context.classes, ...requiredModels(context, NAME) }),
});
