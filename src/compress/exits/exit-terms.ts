import { stopGradient } from '../../autodiff/stop-gradient.ts';
import { kdLogits } from '../../objectives/kd-logits.ts';
import type { ObjectiveTerm } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import { exitsOf } from './kept-exits.ts';

/** Losses about a class, by kind: those that an exit's answers learn by as well. */
const ANSWER_LOSSES: ReadonlySet<string> = new Set(['kd', 'labels', 'dkd', 'dist', 'mlkd']);

/**
 * What a student's exits learn by: the recipe's own losses about its answers, and the answers of its last layer (Zhang et al., "Be
 * Your Own Teacher", 2019, section 3: each with equal weights). No gradient goes from an exit into the last layer's answers. None
 * for a student without exits.
 *
 * @param terms the recipe's
 */
export function exitTerms(graph: Pick<Graph, 'metadata'>, terms: readonly ObjectiveTerm[]): ObjectiveTerm[] {
  const found = exitsOf(graph);
  if (!found) return [];
  const { exits, output: last, weight, self } = found;
  const answers = terms.filter(({ name }) => ANSWER_LOSSES.has(name));
  return exits.flatMap(({ output }) => {
    const scope = output.slice(0, output.indexOf('/'));
    return [
      ...(weight > 0
        ? answers.map((term) => ofAnother(term, { scope, weight, from: last, to: output }))
        : []),
      ...(self > 0 ? [selfTerm({ scope, weight: self, last, output })] : []),
    ];
  });
}

/** A term about another value than the one that it asks the student for. */
function ofAnother(
  term: ObjectiveTerm,
  { scope, weight, from, to }: { scope: string; weight: number; from: string; to: string },
): ObjectiveTerm {
  return {
    name: `${scope}/${term.name}`,
    weight: weight * term.weight,
    build: (g, inputs) =>
      term.build(g, { ...inputs, student: (name) => inputs.student(name === from ? to : name) }),
  };
}

function selfTerm({
  scope,
  weight,
  last,
  output,
}: {
  readonly scope: string;
  readonly weight: number;
  readonly last: string;
  readonly output: string;
}): ObjectiveTerm {
  return {
    name: `${scope}/self`,
    weight,
    build: (g, inputs) =>
      kdLogits(g, {
        student: inputs.student(output),
        teacher: stopGradient(g, inputs.student(last)),
        rowWeights: inputs.rowWeights(),
        temperature: 1,
      }),
  };
}
