import type { KnowledgeGraph } from '../../../knowledge/graph/knowledge-graph.ts';
import { compact, lettersOf, percent, shorten } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { type GraphLayout, isUnit, layOutGraph, type PlacedEdge, type PlacedNode } from './graph-layout.ts';

/** Letters that fit beside a token and a class. */
const [INPUT_LETTERS, CLASS_LETTERS, LAYER_LETTERS] = [20, 19, 20];
/** Width of a letter, and the angle of layers' names where they would touch side by side. */
const [LETTER, TILT] = [6.9, 28];

/** The knowledge graph as a picture that the page's script moves and enlarges. */
export function graphDrawing(graph: KnowledgeGraph, layout: GraphLayout = layOutGraph(graph)): Markup {
  const { width, height, nodes, edges } = layout;
  const index = new Map(nodes.map((place, position) => [place, position]));
  const weakFirst = [...edges].reverse();
  const layers = nodes.filter(({ node }) => node.kind === 'layer');
  const tilted = layers.length > 1 && Math.max(...layers.map(nameWidth)) > layout.layerGap - 10;
  const above = tilted ? Math.ceil(Math.max(0, ...layers.map(roomAbove))) : 0;
  return html`<div class="graph-scroll"><svg class="graph" viewBox="0 ${-above} ${width} ${height + above}" tabindex="0" role="group" aria-label="The teacher’s knowledge graph: inputs, layers and their heads or channels, classes">
<text class="tick end" x="178" y="68">${graph.unit === 'images' ? 'Regions of the image' : 'Tokens'}</text><text class="tick start" x="872" y="68">Classes</text>
${spines(nodes)}
<g class="edges">${weakFirst.map((edge) => edgePath(edge, index))}</g>
<g class="nodes">${nodes.map((place, position) => nodeMark(place, position, tilted))}</g>
</svg></div>`;
}

/** Pixels that a layer's name and its share take. */
function nameWidth({ node }: PlacedNode): number {
  return (lettersOf(shorten(node.label, LAYER_LETTERS)) + 5) * LETTER;
}

/** By how much a tilted name leaves the frame at the top. */
function roomAbove(place: PlacedNode): number {
  const end = place.y - place.radius - 8 - nameWidth(place) * Math.sin((TILT * Math.PI) / 180);
  return 14 - end;
}

/** A line from each layer to the last of its heads or channels: they belong together. */
function spines(nodes: readonly PlacedNode[]): Markup[] {
  return nodes.flatMap(({ node, x, y }) => {
    if (node.kind !== 'layer') return [];
    const units = nodes.filter((other) => isUnit(other.node) && other.node.layer === node.layer);
    const last = Math.max(...units.map((unit) => unit.y));
    return units.length > 0
      ? [html`<line class="spine" x1="${round(x)}" x2="${round(x)}" y1="${y}" y2="${last}"/>`]
      : [];
  });
}

function edgePath(
  { edge, from, to, strength, isStrong }: PlacedEdge,
  index: Map<PlacedNode, number>,
): Markup {
  const [x1, x2] = [from.x + (from.side ? 0 : from.radius), to.x - to.radius];
  const bend = Math.max(30, (x2 - x1) / 2);
  const path = `M${round(x1)} ${round(from.y)}C${round(x1 + bend)} ${round(from.y)} ${round(x2 - bend)} ${round(to.y)} ${round(x2)} ${round(to.y)}`;
  return html`<path class="edge ${from.node.kind}${isStrong ? '' : ' weak'}" d="${path}" stroke-width="${round(0.6 + 5.4 * strength)}" data-from="${index.get(from)}" data-to="${index.get(to)}" data-weight="${compact(edge.weight)}"/>`;
}

function nodeMark(place: PlacedNode, position: number, tilted: boolean): Markup {
  const { node, x, y, radius, side } = place;
  const isOthers = node.others !== undefined;
  const shape = side
    ? html`<rect x="${x - side / 2}" y="${y - side / 2}" width="${side}" height="${side}" rx="3" fill-opacity="${shade(node.importance)}"/>`
    : html`<circle cx="${round(x)}" cy="${y}" r="${radius}"/>`;
  return html`<g class="node ${node.kind}${isOthers ? ' others' : ''}" tabindex="0" role="img" aria-label="${spoken(place)}" data-node="${position}" data-name="${nameOf(place)}" data-about="${aboutOf(place)}"><title>${spoken(place)}</title>${shape}${caption(place, tilted)}</g>`;
}

function caption({ node, x, y, radius, side }: PlacedNode, tilted: boolean): Markup {
  const share = percent(node.importance, 0);
  if (side) return html`<text class="middle" x="${x}" y="${y + 4}">${share}</text>`;
  const label = node.others === undefined ? node.label : `${node.others} others`;
  if (node.kind === 'input')
    return html`<text class="end" x="${round(x - 14)}" y="${y + 4}">${shorten(label, INPUT_LETTERS)}</text>`;
  if (node.kind === 'class')
    return html`<text class="start" x="${round(x + 15)}" y="${y + 4}">${shorten(label, CLASS_LETTERS)} <tspan class="tick">${share}</tspan></text>`;
  if (isUnit(node))
    return html`<text class="${radius < 9 ? 'start' : 'middle inside'}" x="${round(radius < 9 ? x + radius + 3 : x)}" y="${y + 4}">${label.replace(/^\D+/, '')}</text>`;
  const turn = tilted ? `rotate(${-TILT} ${round(x)} ${round(y - radius - 8)})` : 'rotate(0)';
  return html`<text class="${tilted ? 'start' : 'middle'} layer-name" transform="${turn}" x="${round(x)}" y="${round(y - radius - 8)}">${shorten(label, LAYER_LETTERS)} <tspan class="tick">${share}</tspan></text>`;
}

const KIND_NAMES = {
  input: 'Input',
  layer: 'Layer',
  head: 'Head',
  channel: 'Channel',
  class: 'Class',
} as const;

/** `head 2 of layer 0` needs its layer; all else is named by itself. */
function nameOf({ node }: PlacedNode): string {
  if (node.others !== undefined) return `${node.others} others`;
  return isUnit(node) ? `${node.label}, layer ${node.layer}` : node.label;
}

function aboutOf({ node }: PlacedNode): string {
  const of = { input: 'inputs', layer: 'layers', head: 'heads', channel: 'channels' };
  const share =
    node.kind === 'class'
      ? `chosen for ${percent(node.importance)} of the sample`
      : `${percent(node.importance)} of all ${of[node.kind]}`;
  const seen = node.kind === 'input' && node.occurrences ? `, seen ${node.occurrences} times` : '';
  return `${share}, ${compact(node.attribution)} logits a sample${seen}`;
}

function spoken(place: PlacedNode): string {
  return `${KIND_NAMES[place.node.kind]} ${nameOf(place)}: ${aboutOf(place)}`;
}

/** An even image has a sixteenth in each region. */
function shade(importance: number): string {
  return (0.06 + 0.84 * Math.min(1, importance * 5)).toFixed(2);
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
