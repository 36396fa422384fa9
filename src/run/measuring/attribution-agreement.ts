import { gradients } from '../../autodiff/gradients.ts';
import { prepareForGradients } from '../../autodiff/prepare.ts';
import type { Engine } from '../../engine/engine.ts';
import { attributedValue, isTokens } from '../../objectives/attributed-features.ts';
import { attributionMap, mapCosine } from '../../objectives/attribution-map.ts';
import {
  askedOf,
  type InnerOutput,
  innerOutput,
  readingOf,
  teacherAnswer,
} from '../../objectives/inner-output.ts';
import { maskAmong } from '../../objectives/token-mean.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph, TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { lowerBatchNorm } from '../../onnx/passes/lower-batch-norm.ts';
import { nameOutputs } from '../../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../../onnx/passes/remove-identities.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';

import { describeTowers } from '../heads/describe-pair.ts';

const COSINE = 'cosine';

/**
 * Whether a student decides for the reasons of its teacher: the mean over samples of the cosine of their attributions
 * (gradient x input, `attributionMap`) for what the teacher decides (the class that it ranks first); 1 for the same reasons, 0 for others.
 *
 * @param batches what both models are fed; only the first `filled` rows of a batch count
 * @param about the output whose answers have reasons; one class when absent
 * @throws LimbeckError `recipe.no-features` where a model shows neither pixels nor embeddings of tokens
 */
export async function attributionAgreement(
  engine: Engine,
  models: { readonly student: Graph; readonly teacher: Graph },
  batches: Iterable<{ readonly feeds: Readonly<Record<string, Tensor>>; readonly filled: number }>,
  about: InnerOutput = innerOutput(undefined, {}),
): Promise<number> {
  const session = await engine.load(writeModel(agreementGraph(models, about)));
  let [sum, count] = [0, 0];
  try {
    for (const { feeds, filled } of batches) {
      const found = await session.run(
        Object.fromEntries(session.inputNames.map((name) => [name, feeds[name] as Tensor])),
      );
      const cosines = (found[COSINE] as Tensor).data as Float32Array;
      for (let row = 0; row < filled; row++) sum += cosines[row] as number;
      count += filled;
    }
  } finally {
    await session.release();
  }
  return count > 0 ? sum / count : Number.NaN;
}

/** Both models over the same inputs, with the cosine of their attributions as output: float32 [batch]. */
function agreementGraph(
  models: { readonly student: Graph; readonly teacher: Graph },
  about: InnerOutput,
): Graph {
  const score = askedOf(about, 'score', 'attribution');
  const [student, teacher] = [models.student, models.teacher].map((graph) =>
    prepareForGradients(toEvaluationForm(graph)),
  ) as [Graph, Graph];
  const g = new GraphBuilder(teacher.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of [...student.inputs, ...teacher.inputs]) {
    if (!type || !shape) throw new Error(`the input ${name} has no type or shape`);
    // Shipped towers name their batches apart; here all rows are of the same samples.
    if (!bound.has(name)) bound.set(name, g.input(name, type, ['batch', ...shape.slice(1)]));
  }
  // Of a pair, the tower that makes the side.
  const towers = about.side && describeTowers(student, teacher, about.side.of).get(about.output);
  const inlined = (graph: Graph, who: 'student' | 'teacher') => {
    const values = g.inline(graph, bound, who);
    return {
      who,
      anatomy: towers?.[who] ?? describeModel(graph),
      has: (name: string) => values.has(name),
      value: (name: string) => values.get(name) as TypedValue,
    };
  };
  const sides = [inlined(teacher, 'teacher'), inlined(student, 'student')] as const;
  const answersOf = (side: (typeof sides)[number]) =>
    about.side && side.has(about.output)
      ? side.value(about.output)
      : teacherAnswer(g, side, about, side.anatomy.logits);
  const said = answersOf(sides[0]);
  const [given, own] = sides.map((side) => {
    const features = attributedValue(side.value, side.anatomy, side.who, 'attribution');
    const answers = answersOf(side);
    const scores = score(g, { answers, teacher: said, ...readingOf(g, answers, about, side) });
    const [slope] = gradients(g, g.reduceSum(scores, { keepDims: false }), [features]);
    const mask = isTokens(features) ? maskAmong(g, side) : undefined;
    return attributionMap(g, features, slope ?? g.mul(features, 0), mask);
  });
  g.output(mapCosine(g, given as TypedValue, own as TypedValue), COSINE);
  return nameOutputs(removeDeadNodes(lowerBatchNorm(removeIdentities(g.build('attribution-agreement')))));
}
