import { LimbeckError } from '../errors.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { KnowledgeRequest } from '../teachers/knowledge-request.ts';
import type { ObjectiveContext, ObjectiveInputs } from './objective.ts';
import { requiredModels } from './required-models.ts';
import { maskAmong, meanVector } from './token-mean.ts';

/** What a model makes of a sample before it classifies: one vector, from its last layer. */
interface LastRepresentation {
  /** Its name in the store. */
  readonly tap: string;
  readonly width: number;
  /** float32 [batch, width] of the model whose values `value` looks up. */
  of(g: GraphBuilder, model: ModelValues): TypedValue;
}

/** The values of a model, by name. */
interface ModelValues {
  has(name: string): boolean;
  value(name: string): TypedValue;
}

/** What is kept of a teacher for it: float32 [batch, width]. */
export function lastRepresentationRequest(context: ObjectiveContext, loss: string): KnowledgeRequest {
  const { teacher } = requiredModels(context, loss);
  const { tap, of } = lastRepresentation(teacher, 'teacher', loss);
  return {
    tap,
    build: (g, graph) => of(g, { has: (name) => graph.has(name), value: (name) => graph.value(name) }),
  };
}

/**
 * The student's and the teacher's last layers, averaged over the tokens that count or over all places: float32
 * [batch, width] each.
 *
 * @throws LimbeckError `recipe.no-layers` where a model shows none
 */
export function lastRepresentations(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  context: ObjectiveContext,
  loss: string,
): { student: TypedValue; teacher: TypedValue } {
  const { student, teacher } = requiredModels(context, loss);
  const { tap, width } = lastRepresentation(teacher, 'teacher', loss);
  return {
    student: lastRepresentation(student, 'student', loss).of(g, { has: inputs.has, value: inputs.student }),
    teacher: inputs.knowledge(tap, [width]),
  };
}

function lastRepresentation({ layers }: ModelAnatomy, who: string, loss: string): LastRepresentation {
  const last = layers.findLast(({ hidden, features }) => hidden ?? features);
  if (last?.hidden) {
    const { name, width } = last.hidden;
    const of: LastRepresentation['of'] = (g, model) =>
      meanVector(g, model.value(name), maskAmong(g, model, model.value(name)));
    return { tap: `pooled/${name}`, width, of };
  }
  if (last?.features) {
    const { name, channels } = last.features;
    const of: LastRepresentation['of'] = (g, { value }) =>
      g.reduceMean(value(name), { axes: [2, 3], keepDims: false });
    return { tap: `pooled/${name}`, width: channels, of };
  }
  throw new LimbeckError('recipe.no-layers', `the ${who} shows no layer whose output could be compared`, {
    where: `objective.${loss}`,
    remedy: 'Compare the logits instead; `limbeck inspect MODEL` lists what a model has to offer.',
  });
}
