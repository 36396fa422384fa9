import { LimbeckError } from '../../errors.ts';
import { nearestNames } from '../../nearest.ts';
import type { Graph, Value } from '../graph.ts';
import { namePattern } from '../name-pattern.ts';

/**
 * The same graph with other outputs: any value inside, by its name, in the order given. A name may be a pattern
 * in which `*` stands for any characters: `encoder*Softmax_output_0` selects those values in graph order.
 * A value that is selected twice is an output once. Nothing is removed; `removeDeadNodes` does that.
 *
 * @throws LimbeckError `model.no-such-value`, with the nearest names.
 */
export function withOutputs(graph: Graph, names: readonly string[]): Graph {
  return { ...graph, outputs: selectValues(graph, names) };
}

/** The values that names and patterns select, each once. */
function selectValues(graph: Graph, names: readonly string[]): Value[] {
  const values = new Map<string, Value>();
  for (const value of graph.inputs) values.set(value.name, value);
  for (const value of graph.initializers.keys()) values.set(value.name, value);
  for (const node of graph.nodes) for (const value of node.outputs) if (value) values.set(value.name, value);

  const selected = new Set<Value>();
  for (const name of names) {
    // A value may have a star in its own name.
    const exact = values.get(name);
    const found = exact ? [exact] : name.includes('*') ? matching(graph, name) : [];
    if (found.length === 0) throw noSuchValue(name, [...values.keys()]);
    for (const value of found) selected.add(value);
  }
  return [...selected];
}

/** Patterns tap what is computed: inputs and weights are not meant by a `*`. */
function matching(graph: Graph, pattern: string): Value[] {
  const matches = namePattern(pattern);
  return graph.nodes.flatMap((node) =>
    node.outputs.filter((value): value is Value => value !== null && matches(value.name)),
  );
}

function noSuchValue(name: string, known: readonly string[]): LimbeckError {
  const nearest = nearestNames(name.replaceAll('*', ''), known);
  const what = name.includes('*') ? 'matches the pattern' : 'is called';
  return new LimbeckError('model.no-such-value', `no value of the model ${what} '${name}'`, {
    remedy: nearest ? `Did you mean ${nearest}?` : 'The model has no values.',
  });
}
