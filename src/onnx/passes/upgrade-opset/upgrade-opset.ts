import { LimbeckError } from '../../../errors.ts';
import type { Attribute, Graph, Node } from '../../graph.ts';
import { NodeEmitter, namesIn } from '../../node-emitter.ts';
import { subgraphsOf } from '../../used-values.ts';
import type { Changes } from './change.ts';
import { CHANGES } from './changes.ts';

/** The versions of the standard operators that we read: before 7 broadcasting was another, above 24 we know nothing. */
export const OPSET_RANGE = { oldest: 7, newest: 24 } as const;

/** The newest version of ONNX Runtime's other domains: it loads no model that names a newer one. */
export const NEWEST_ELSEWHERE: ReadonlyMap<string, number> = new Map([
  ['ai.onnx.ml', 5],
  ['com.microsoft', 1],
]);

/**
 * Makes sure that a model's operators are of versions that we and ONNX Runtime know.
 *
 * @param where the model, for the error
 * @throws LimbeckError `model.opset`
 */
export function requireOpset({ opsets }: Graph, where: string): void {
  const { oldest, newest } = OPSET_RANGE;
  const own = opsets.get('');
  if (own !== undefined && (own < oldest || own > newest)) {
    throw new LimbeckError('model.opset', `the model is of opset ${own}, which is not supported`, {
      where,
      remedy: `Export it with an opset from ${oldest} to ${newest}.`,
    });
  }
  for (const [domain, known] of NEWEST_ELSEWHERE) {
    const version = opsets.get(domain);
    if (version === undefined || version <= known) continue;
    throw new LimbeckError('model.opset', `the model has ${domain} ${version}, which is not supported`, {
      where,
      remedy: `Export it with ${domain} ${known} at most.`,
    });
  }
}

/**
 * The same model in a newer version of the standard operators; unchanged when it is as new. Values keep their names.
 *
 * @param target the version to go to, at most `OPSET_RANGE.newest`
 * @throws LimbeckError `model.opset` for a version outside `OPSET_RANGE`, and for forms of an operator that newer
 *   versions cannot say
 */
export function upgradeOpset(graph: Graph, target: number): Graph {
  requireOpset(graph, `graph '${graph.name}'`);
  const own = graph.opsets.get('') ?? target;
  if (own >= target) return graph;
  const names = namesIn(graph);
  const opsets = new Map([...graph.opsets, ['', target]]);
  let upgraded = graph;
  for (let version = own + 1; version <= target; version++) {
    const changes = CHANGES.get(version);
    if (changes) upgraded = apply(upgraded, changes, names);
  }
  return withOpsets(upgraded, opsets);
}

function apply(graph: Graph, changes: Changes, names: Set<string>): Graph {
  const emit = new NodeEmitter(names);
  for (const node of graph.nodes) {
    const inner = mapSubgraphs(node, (subgraph) => apply(subgraph, changes, names));
    const change = node.domain === '' && Object.hasOwn(changes, node.opType) && changes[node.opType];
    if (change) change(emit, inner);
    else emit.push(inner);
  }
  return {
    ...graph,
    nodes: emit.nodes,
    initializers: new Map([...graph.initializers, ...emit.initializers]),
  };
}

function withOpsets(graph: Graph, opsets: ReadonlyMap<string, number>): Graph {
  const inner = (node: Node) => mapSubgraphs(node, (subgraph) => withOpsets(subgraph, opsets));
  return { ...graph, opsets, nodes: graph.nodes.map(inner) };
}

function mapSubgraphs(node: Node, map: (graph: Graph) => Graph): Node {
  if (subgraphsOf(node).length === 0) return node;
  const attributes = [...node.attributes].map(([name, attribute]): [string, Attribute] => {
    if (attribute.kind === 'graph') return [name, { kind: 'graph', value: map(attribute.value) }];
    if (attribute.kind === 'graphs') return [name, { kind: 'graphs', value: attribute.value.map(map) }];
    return [name, attribute];
  });
  return { ...node, attributes: new Map(attributes) };
}
