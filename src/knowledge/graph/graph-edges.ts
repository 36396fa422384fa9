import type { AttributionSums } from './attribution-sums.ts';
import type { Group, GroupSums } from './group-sums.ts';
import { type EdgeKind, type GraphEdge, rounded } from './knowledge-graph.ts';

/** The nodes that groups have, and what is left for the node of all others. */
export interface ShownGroups {
  readonly groups: readonly { readonly id: string; readonly group: Group }[];
  readonly othersId: string;
  /** How many have no node; those that were folded into one may be counted again. */
  readonly others: number;
}

/** Edges that are weaker than this part of the strongest of their kind are left out. */
const WEAKEST_EDGE = 1e-3;

/** The edges between nodes; what belongs to tokens, classes or channels without a node goes to that of all others. */
export function graphEdges(
  { columns, inputs, classes, samples }: AttributionSums,
  shown: { readonly inputs: ShownGroups; readonly classes: ShownGroups; readonly nodes: ReadonlySet<string> },
): GraphEdge[] {
  const edges: GraphEdge[] = [];
  const push = (from: string, to: string, kind: EdgeKind, weight: number) => {
    if (!shown.nodes.has(from) || !shown.nodes.has(to)) return;
    edges.push({ from, to, kind, weight: rounded(weight / samples) });
  };
  const readers = withOthers(inputs, shown.inputs);
  const chosen = withOthers(classes, shown.classes);
  columns.forEach(({ places, units }, layer) => {
    const id = `layer/${layer}`;
    const isLast = layer === columns.length - 1;
    for (const [input, sums] of readers) push(input, id, 'reads', sums[places] as number);
    if (isLast) for (const [label, sums] of chosen) push(id, label, 'decides', sums[places] as number);
    else push(id, `layer/${layer + 1}`, 'passes', inputs.total[places] as number);
    if (!units) return;
    for (const [node, own] of unitColumns(`${id}/${units.kind}`, units, shown.nodes)) {
      const over = (sums: ArrayLike<number>) =>
        own.reduce((total, column) => total + (sums[column] as number), 0);
      push(node, id, 'part-of', over(inputs.total));
      for (const [input, sums] of readers) push(input, node, 'reads', over(sums));
      for (const [label, sums] of chosen) push(node, label, 'decides', over(sums));
    }
  });
  return strongEnough(edges);
}

/** The columns of each node of a layer's heads or channels. */
function unitColumns(
  prefix: string,
  { first, count }: { readonly first: number; readonly count: number },
  nodes: ReadonlySet<string>,
): Map<string, number[]> {
  const columns = new Map<string, number[]>();
  for (let unit = 0; unit < count; unit++) {
    const own = `${prefix}/${unit}`;
    const id = nodes.has(own) ? own : `${prefix}/others`;
    columns.set(id, [...(columns.get(id) ?? []), first + unit]);
  }
  return columns;
}

/** The sums of the groups that have nodes, and of all others together. */
function withOthers(groups: GroupSums, shown: ShownGroups): [string, ArrayLike<number>][] {
  const left = Float64Array.from(groups.total);
  for (const { group } of shown.groups)
    for (let column = 0; column < left.length; column++) left[column]! -= group.sums[column] as number;
  return [
    ...shown.groups.map(({ id, group }): [string, ArrayLike<number>] => [id, group.sums]),
    [shown.othersId, left.map((value) => Math.max(0, value))],
  ];
}

function strongEnough(edges: readonly GraphEdge[]): GraphEdge[] {
  const strongest = new Map<EdgeKind, number>();
  for (const { kind, weight } of edges) strongest.set(kind, Math.max(strongest.get(kind) ?? 0, weight));
  return edges.filter(
    ({ kind, weight }) => weight > 0 && weight >= WEAKEST_EDGE * (strongest.get(kind) as number),
  );
}
