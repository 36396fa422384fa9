import type { Graph, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ObjectiveInputs, ObjectiveTerm } from './objective.ts';

/** Before the names of inputs that a teacher's answers are fed to. */
const KNOWLEDGE = 'knowledge/';

/**
 * Terms towards a teacher, with a network that is computed inside of the step in the place of the teacher: what a student was
 * before it was made smaller teaches what is left of it.
 *
 * @param graph in its evaluation form; it reads inputs of the student and answers under the names of the terms' taps
 * @param weight how much each counts besides its own weight
 */
export function keptKnowledge(
  terms: readonly ObjectiveTerm[],
  graph: Graph,
  weight: number,
): ObjectiveTerm[] {
  return terms.map((term) => ({
    name: `kept/${term.name}`,
    weight: weight * term.weight,
    build(g, inputs) {
      const answers = answersOf(g, inputs, graph);
      return term.build(g, {
        ...inputs,
        knowledge: (tap, dims) => answers.get(tap) ?? inputs.knowledge(tap, dims),
        input(name, ...spec) {
          const isKnowledge = name.startsWith(KNOWLEDGE);
          return (isKnowledge && answers.get(name.slice(KNOWLEDGE.length))) || inputs.input(name, ...spec);
        },
      });
    },
  }));
}

/** What a network answers to the samples of the step, by its names. No gradient goes into it: it has no parameters there. */
export function answersOf(
  g: GraphBuilder,
  inputs: Pick<ObjectiveInputs, 'student'>,
  graph: Graph,
): Map<string, TypedValue> {
  return g.inline(graph, new Map(graph.inputs.map(({ name }) => [name, inputs.student(name)])), 'kept');
}
