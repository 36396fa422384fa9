import { LimbeckError } from '../../errors.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { usedValues } from '../used-values.ts';

/**
 * Orders nodes so that each comes after those it reads from. Nodes that are in order stay where they are;
 * a graph that is in order is returned as it is.
 *
 * @throws LimbeckError `model.cyclic`, naming the nodes of a cycle.
 */
export function sortNodes(graph: Graph): Graph {
  const nodes = sorted(graph.nodes);
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
}

/** Depth-first, without recursion: graphs are thousands of nodes deep. */
function sorted(nodes: readonly Node[]): Node[] {
  const producers = new Map<Value, Node>();
  for (const node of nodes) for (const value of node.outputs) if (value) producers.set(value, node);

  const order: Node[] = [];
  const done = new Set<Node>();
  for (const start of nodes) {
    if (done.has(start)) continue;
    const path = [{ node: start, sources: sourcesOf(start, producers) }];
    const onPath = new Set([start]);
    while (path.length > 0) {
      const { node, sources } = path[path.length - 1]!;
      const next = sources.next();
      if (next.done) {
        path.pop();
        onPath.delete(node);
        done.add(node);
        order.push(node);
      } else if (onPath.has(next.value)) {
        const nodesOnPath = path.map((step) => step.node);
        throw cyclic(nodesOnPath.slice(nodesOnPath.indexOf(next.value)));
      } else if (!done.has(next.value)) {
        onPath.add(next.value);
        path.push({ node: next.value, sources: sourcesOf(next.value, producers) });
      }
    }
  }
  return order;
}

function* sourcesOf(node: Node, producers: ReadonlyMap<Value, Node>): Generator<Node, undefined> {
  for (const value of usedValues(node)) {
    const producer = producers.get(value);
    if (producer) yield producer;
  }
}

function cyclic(cycle: readonly Node[]): LimbeckError {
  const names = cycle.slice(0, 6).map((node) => `'${node.name}' (${node.opType})`);
  if (cycle.length > 6) names.push(`... ${cycle.length - 6} more`);
  return new LimbeckError('model.cyclic', 'the graph has a cycle: these nodes wait for one another', {
    where: names.join(' <- '),
    remedy: 'Export the model again; recurrence belongs in a Loop or Scan body.',
  });
}
