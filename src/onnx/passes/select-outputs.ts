import { distance } from 'fastest-levenshtein';
import { LimbeckError } from '../../errors.ts';
import type { Graph, Value } from '../graph.ts';

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
  const matches = wildcard(pattern);
  return graph.nodes.flatMap((node) =>
    node.outputs.filter((value): value is Value => value !== null && matches(value.name)),
  );
}

/** Whether a name fits a pattern. Each literal part is searched once from the left, so no pattern is slow. */
function wildcard(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*');
  const first = parts[0]!;
  const last = parts[parts.length - 1]!;
  const middle = parts.slice(1, -1);
  return (name) => {
    if (name.length < first.length + last.length) return false;
    if (!name.startsWith(first) || !name.endsWith(last)) return false;
    const end = name.length - last.length;
    let at = first.length;
    for (const part of middle) {
      const found = name.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

function noSuchValue(name: string, known: readonly string[]): LimbeckError {
  const literal = name.replaceAll('*', '');
  const nearest = known
    .map((candidate) => ({ candidate, far: distance(literal, candidate) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ candidate }) => `'${candidate}'`);
  const what = name.includes('*') ? 'matches the pattern' : 'is called';
  return new LimbeckError('model.no-such-value', `no value of the model ${what} '${name}'`, {
    remedy: nearest.length > 0 ? `Did you mean ${nearest.join(' or ')}?` : 'The model has no values.',
  });
}
