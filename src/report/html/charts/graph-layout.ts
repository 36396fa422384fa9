import type { GraphEdge, GraphNode, KnowledgeGraph } from '../../../knowledge/graph/knowledge-graph.ts';
import { GRID, REGION_NAMES } from '../../../knowledge/graph/region-grid.ts';

/** What is drawn of a graph, at most; the rest is in its file. */
const MOST = { layers: 10, units: 8, inputs: 20, classes: 20, edges: 48, kept: 7 } as const;

const WIDTH = 1072;
const [TOP, ROW, BOTTOM] = [84, 27, 24];
/** Where inputs stand, the first and the last layer, and classes. */
const [INPUTS, FIRST_LAYER, LAST_LAYER, CLASSES] = [168, 330, 768, 880];
const CELL = 40;

export interface PlacedNode {
  readonly node: GraphNode;
  readonly x: number;
  readonly y: number;
  /** A region of an image is a square of this side, in place of a disc. */
  readonly side?: number;
  readonly radius: number;
}

export interface PlacedEdge {
  readonly edge: GraphEdge;
  readonly from: PlacedNode;
  readonly to: PlacedNode;
  /** 0 to 1: its weight, of the strongest of its kind that is drawn. */
  readonly strength: number;
  /** Whether it is drawn from the start, or only when one of its ends is looked at. */
  readonly isStrong: boolean;
}

export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  /** Pixels between two layers. */
  readonly layerGap: number;
  /** Layers that are not drawn. */
  readonly hiddenLayers: number;
}

/** Inputs on the left, a column for each layer with its heads or channels below it, classes on the right. */
export function layOutGraph(graph: KnowledgeGraph): GraphLayout {
  const of = (kind: GraphNode['kind']) => graph.nodes.filter((node) => node.kind === kind);
  const layers = shownLayers(of('layer'));
  const layerGap = layers.length > 1 ? (LAST_LAYER - FIRST_LAYER) / (layers.length - 1) : 0;
  const columns = layers.map((layer, index) => {
    const units = graph.nodes
      .filter(({ kind, layer: own }) => own === layer.layer && (kind === 'head' || kind === 'channel'))
      .filter(({ others }) => others === undefined);
    return {
      x: layers.length > 1 ? FIRST_LAYER + index * layerGap : (FIRST_LAYER + LAST_LAYER) / 2,
      nodes: [layer, ...byImportance(units).slice(0, MOST.units)],
    };
  });
  const inputs = firstOf(of('input'), MOST.inputs);
  const classes = firstOf(of('class'), MOST.classes);
  const isPicture = graph.unit === 'images';
  const rows = Math.max(
    isPicture ? 0 : inputs.length,
    classes.length,
    ...columns.map(({ nodes }) => nodes.length + 1),
    9,
  );
  const height = TOP + rows * ROW + BOTTOM;
  const radii = radiusByKind(graph.nodes);
  const column = (nodes: readonly GraphNode[], x: number) =>
    nodes.map((node, row) => ({ node, x, y: spread(row, nodes.length, rows), radius: radii(node) }));
  const nodes = [
    ...(isPicture ? regionNodes(inputs, height) : column(inputs, INPUTS)),
    ...columns.flatMap(({ x, nodes: [layer, ...units] }) => [
      { node: layer as GraphNode, x, y: TOP, radius: radii(layer as GraphNode) },
      ...units.map((node, row) => ({
        node,
        x,
        y: TOP + 58 + spread(row, units.length, rows - 2) - TOP,
        radius: radii(node),
      })),
    ]),
    ...column(classes, CLASSES),
  ];
  return {
    width: WIDTH,
    height,
    nodes,
    edges: placedEdges(graph.edges, nodes),
    layerGap,
    hiddenLayers: of('layer').length - layers.length,
  };
}

/** Few rows are spread over the height of many. */
function spread(row: number, count: number, rows: number): number {
  const gap = Math.min(2.2 * ROW, (rows * ROW) / Math.max(count, 1));
  return Number((TOP + (rows * ROW - gap * count) / 2 + gap * (row + 0.5)).toFixed(1));
}

/** The layers that matter most, and the last; in their order. */
function shownLayers(layers: readonly GraphNode[]): GraphNode[] {
  const last = layers.at(-1);
  const kept = new Set(byImportance(layers).slice(0, MOST.layers));
  if (last && !kept.has(last)) {
    kept.delete([...kept].at(-1) as GraphNode);
    kept.add(last);
  }
  return layers.filter((layer) => kept.has(layer));
}

/** The first of a kind; the node of all others has its place at the end. */
function firstOf(nodes: readonly GraphNode[], count: number): GraphNode[] {
  const own = nodes.filter(({ others }) => others === undefined);
  return [
    ...own.slice(0, count),
    ...(own.length > count ? [] : nodes.filter(({ others }) => others !== undefined)),
  ];
}

function regionNodes(inputs: readonly GraphNode[], height: number): PlacedNode[] {
  const top = TOP + (height - TOP - BOTTOM - GRID * CELL) / 2;
  return inputs.flatMap((node) => {
    const region = REGION_NAMES.indexOf(node.label);
    if (region < 0) return [];
    const [row, column] = [Math.floor(region / GRID), region % GRID];
    const x = INPUTS + 24 - (GRID - column - 0.5) * CELL;
    return [{ node, x, y: top + (row + 0.5) * CELL, side: CELL - 3, radius: CELL / 2 }];
  });
}

function radiusByKind(nodes: readonly GraphNode[]): (node: GraphNode) => number {
  const largest = new Map<GraphNode['kind'], number>();
  for (const { kind, importance, others } of nodes)
    if (others === undefined) largest.set(kind, Math.max(largest.get(kind) ?? 0, importance));
  const most = { input: 9, layer: 15, head: 11, channel: 11, class: 10 } as const;
  return ({ kind, importance, others }) => {
    const part = importance / (largest.get(kind) || 1);
    return others === undefined ? Number((2.5 + (most[kind] - 2.5) * Math.sqrt(part)).toFixed(1)) : 5;
  };
}

/**
 * The strongest edges of each kind, and for every node its own strongest, to be shown when it is looked at. What
 * heads and channels read stands for their layer, and edges of what has no node of its own would hide all others.
 */
function placedEdges(edges: readonly GraphEdge[], nodes: readonly PlacedNode[]): PlacedEdge[] {
  const places = new Map(nodes.map((place) => [place.node.id, place]));
  const withUnits = new Set(nodes.filter(({ node }) => isUnit(node)).map(({ node }) => node.layer));
  const candidates = edges
    .flatMap((edge) => {
      const [from, to] = [places.get(edge.from), places.get(edge.to)];
      if (!from || !to || from.node.others !== undefined || to.node.others !== undefined) return [];
      const told = withUnits.has((to.node.kind === 'layer' ? to : from).node.layer);
      if (edge.kind === 'part-of') return [];
      if (edge.kind === 'reads' && to.node.kind === 'layer' && told) return [];
      if (edge.kind === 'decides' && from.node.kind === 'layer' && told) return [];
      return [{ edge, from, to }];
    })
    .sort((a, b) => b.edge.weight - a.edge.weight);
  const strongest = new Map<string, number>();
  const counts = new Map<string, number>();
  const kept = new Map<PlacedNode, number>();
  return candidates.flatMap((candidate) => {
    const { edge, from, to } = candidate;
    const { kind, weight } = edge;
    if (!strongest.has(kind)) strongest.set(kind, weight);
    const isFirst = !kept.has(from) || !kept.has(to);
    const isStrong = kind === 'passes' || isFirst || (counts.get(kind) ?? 0) < MOST.edges;
    const isKept = isStrong || [from, to].some((end) => (kept.get(end) ?? 0) < MOST.kept);
    if (!isKept) return [];
    if (isStrong) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    for (const end of [from, to]) kept.set(end, (kept.get(end) ?? 0) + 1);
    return [{ ...candidate, strength: weight / (strongest.get(kind) as number), isStrong }];
  });
}

export function isUnit({ kind }: GraphNode): boolean {
  return kind === 'head' || kind === 'channel';
}

function byImportance(nodes: readonly GraphNode[]): GraphNode[] {
  return [...nodes].sort((a, b) => b.importance - a.importance);
}
