import type { GraphEdge, GraphNode, KnowledgeGraph } from '../../../knowledge/graph/knowledge-graph.ts';
import type { GraphReport, ReportData } from '../../report-data.ts';
import { graphDrawing } from '../charts/graph-drawing.ts';
import { layOutGraph } from '../charts/graph-layout.ts';
import { compact, decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** Rows of the table of nodes, for each kind. */
const ROWS = 4;

const KINDS: readonly { readonly kind: GraphNode['kind']; readonly name: string }[] = [
  { kind: 'layer', name: 'Layers' },
  { kind: 'head', name: 'Heads' },
  { kind: 'channel', name: 'Channels' },
  { kind: 'input', name: 'Inputs' },
  { kind: 'class', name: 'Classes' },
];

const CHOSEN_BY = {
  graph: 'by the knowledge graph',
  uniform: 'evenly',
  last: 'the last one only',
  recipe: 'by the recipe',
} as const;

/** What the teacher's answers rest on, as a picture and as tables; null for a run that did not look. */
export function knowledgeGraphSection(data: ReportData): Markup | null {
  const { knowledgeGraph: report } = data;
  if (!report) return null;
  const { graph } = report;
  const layout = layOutGraph(graph);
  const parts = graph.layers.some(({ heads }) => heads.length > 0) ? 'heads' : 'channels';
  return html`<section aria-labelledby="knowledge-graph">
<h2 id="knowledge-graph">What the teacher knows by</h2>
<p class="about">${decimal(graph.samples)} training ${data.unit}, looked at with the teacher’s own gradients: how much each ${graph.unit === 'images' ? 'region of the image' : 'token'}, layer and ${parts.slice(0, -1)} adds to the class that it chooses. Discs grow with importance, lines with what goes along them; only the strongest are drawn${layout.hiddenLayers > 0 && `, and the ${layout.nodes.filter(({ node }) => node.kind === 'layer').length} layers that matter most`}. All of it is in knowledge-graph.json and knowledge-graph.graphml.</p>
<ul class="legend">${legendEntry('input', graph.unit === 'images' ? 'Regions' : 'Tokens')}${legendEntry('layer', 'Layers')}${graph.layers.some(({ heads, channels }) => heads.length + channels.length > 0) && legendEntry('head', parts === 'heads' ? 'Heads' : 'Channels')}${legendEntry('class', 'Classes')}</ul>
<figure class="graph-figure">
${graphDrawing(graph, layout)}
<div class="graph-bar"><p class="graph-info" aria-live="polite">Point at a node, or reach it with Tab, for its numbers and neighbours. Drag to move; zoom with the buttons, + and −, or Ctrl and the wheel.</p><div class="graph-tools" hidden><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="out" aria-label="Zoom out">−</button><button type="button" data-zoom="fit">Fit</button></div></div>
</figure>
<details><summary>What matters most, and who teaches whom, as tables</summary><div class="pair">
<figure><figcaption><h3>What matters most</h3><p class="about">Of each kind the first ${ROWS}: the share in all of the kind, and what it adds to the chosen class’s logit.</p></figcaption>${nodesTable(graph)}</figure>
<figure><figcaption><h3>Who teaches whom</h3><p class="about">The layers of the teacher that teach the student’s, chosen ${CHOSEN_BY[report.chosenBy]}.</p></figcaption>${layersTable(report)}</figure>
</div></details>
</section>`;
}

function legendEntry(kind: string, name: string): Markup {
  return html`<li><span class="key ${kind}"></span>${name}</li>`;
}

function nodesTable(graph: KnowledgeGraph): Markup {
  const labels = new Map(graph.nodes.map((node) => [node.id, node]));
  const strongest = strongestTies(graph.edges, labels);
  const rows = KINDS.flatMap(({ kind, name }) => {
    const nodes = graph.nodes.filter((node) => node.kind === kind && node.others === undefined);
    const first = [...nodes].sort((a, b) => b.importance - a.importance).slice(0, ROWS);
    // Which inputs are named was chosen by more than their share: they keep that order.
    const shown = kind === 'input' ? nodes.slice(0, ROWS) : first;
    if (shown.length === 0) return [];
    return [
      html`<tr><th scope="rowgroup" colspan="3" class="muted">${name}</th></tr>`,
      ...shown.map(
        (node) =>
          html`<tr><th scope="row"><bdi>${titleOf(node)}</bdi><span class="small muted">${tieText(strongest.get(node.id))}</span></th><td class="end">${percent(node.importance)}</td><td class="end">${compact(node.attribution)}</td></tr>`,
      ),
    ];
  });
  return html`<table class="plain"><caption class="hidden">The most important nodes of each kind</caption><thead><tr><th scope="col">Node, and its strongest tie</th><th scope="col" class="end">Share</th><th scope="col" class="end">Logits</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** For each node the strongest edge to one that is no layer of its own. */
function strongestTies(
  edges: readonly GraphEdge[],
  nodes: ReadonlyMap<string, GraphNode>,
): Map<string, { readonly node: GraphNode; readonly weight: number }> {
  const ties = new Map<string, { node: GraphNode; weight: number }>();
  for (const { from, to, kind, weight } of edges) {
    if (kind === 'part-of') continue;
    for (const [end, other] of [
      [from, nodes.get(to)],
      [to, nodes.get(from)],
    ] as const) {
      if (!other || other.others !== undefined || weight <= (ties.get(end)?.weight ?? 0)) continue;
      ties.set(end, { node: other, weight });
    }
  }
  return ties;
}

function tieText(tie: { readonly node: GraphNode; readonly weight: number } | undefined): string {
  return tie ? `with ${titleOf(tie.node)} (${compact(tie.weight)})` : '';
}

function titleOf({ kind, label, layer }: GraphNode): string {
  return kind === 'head' || kind === 'channel' ? `${label}, layer ${layer}` : label;
}

function layersTable({ graph, layers }: GraphReport): Markup {
  if (layers.length === 0)
    return html`<p class="empty">No layers were found in the student that the teacher’s could teach.</p>`;
  const importance = new Map(graph.layers.map((layer) => [layer.name, layer.importance]));
  return html`<table class="plain"><caption class="hidden">Which layer of the teacher teaches which of the student</caption><thead><tr><th scope="col">Student</th><th scope="col">Teacher</th><th scope="col" class="end">Its share</th><th scope="col" class="end">Weight</th></tr></thead><tbody>${layers.map(
    ({ student, teacher, weight }) =>
      html`<tr><th scope="row"><bdi>${student}</bdi></th><td><bdi>${teacher}</bdi></td><td class="end">${percent(importance.get(teacher) ?? 0)}</td><td class="end">${decimal(weight, 2)}</td></tr>`,
  )}</tbody></table>`;
}
