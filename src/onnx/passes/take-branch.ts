import type { Graph, Node, Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';

/**
 * The graph with an `If` replaced by what is in one of its branches, where it is known which one is taken. Values and nodes of the
 * branch keep their names, unless the graph has others of those names.
 *
 * @param node an `If` among the graph's own nodes
 */
export function takeBranch(graph: Graph, node: Node, condition: boolean): Graph {
  const attribute = node.attributes.get(condition ? 'then_branch' : 'else_branch');
  if (attribute?.kind !== 'graph') throw new Error(`${node.name} has no such branch`);
  const branch = attribute.value;
  const values = new Set(
    [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)].map(
      (value) => value?.name ?? '',
    ),
  );
  const nodeNames = new Set(graph.nodes.map(({ name }) => name));
  const renamed = new Map<Value, Value>();
  const own = (value: Value): Value => {
    const name = freeName(value.name, values);
    if (name === value.name) return value;
    const other = { ...value, name };
    renamed.set(value, other);
    return other;
  };
  const initializers = [...branch.initializers].map(([value, content]) => [own(value), content] as const);
  const nodes = branch.nodes.map((inner) => ({
    ...inner,
    name: freeName(inner.name, nodeNames),
    outputs: inner.outputs.map((value) => value && own(value)),
  }));
  const results = branch.outputs.flatMap((value, i): Node[] => {
    const output = node.outputs[i];
    const inputs = [renamed.get(value) ?? value];
    const attributes = new Map();
    return output
      ? [
          {
            name: freeName(output.name, nodeNames),
            opType: 'Identity',
            domain: '',
            inputs,
            outputs: [output],
            attributes,
          },
        ]
      : [];
  });
  const taken = [...nodes.map((inner) => replaceReads(inner, renamed)), ...results];
  return {
    ...graph,
    nodes: graph.nodes.flatMap((one) => (one === node ? taken : [one])),
    initializers: new Map([...graph.initializers, ...initializers]),
  };
}

/** A name that is not among those taken, to which it is added; nodes may have none. */
function freeName(name: string, taken: Set<string>): string {
  if (name === '') return name;
  let free = name;
  for (let i = 1; taken.has(free); i++) free = `${name}/${i}`;
  taken.add(free);
  return free;
}
