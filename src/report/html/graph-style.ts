/** The knowledge graph's part of the style sheet. */
export const GRAPH_STYLE = `
.graph-figure { border: 1px solid var(--line); border-radius: 12px; background: var(--sheet); overflow: hidden; }
.graph-scroll { overflow-x: auto; } .graph { width: 100%; min-width: 760px; height: auto; cursor: grab; touch-action: pan-x pan-y; } .graph.zoomed { touch-action: none; } .graph:active { cursor: grabbing; }
.graph:focus-visible { outline-offset: -2px; }
.node.input, .edge.input, .key.input { --color: var(--good); } .node.layer, .edge.layer, .key.layer { --color: var(--teacher); }
.node.head, .node.channel, .edge.head, .edge.channel, .key.head { --color: var(--int8); } .node.class, .key.class { --color: var(--student); }
.node circle, .node rect { fill: var(--color); stroke: var(--sheet); stroke-width: 1.5; }
.node.others circle { fill: var(--sheet); stroke: var(--muted); stroke-dasharray: 2 2; } .node.others text { fill: var(--muted); }
.node rect { stroke: var(--color); stroke-width: 1; } .node { cursor: pointer; outline: none; }
.node text { paint-order: stroke; stroke: var(--sheet); stroke-width: 3px; stroke-linejoin: round; }
.node text.inside { fill: var(--inside); stroke: none; font-size: 10px; font-weight: 600; } .node tspan.tick { font-size: 11px; }
.node rect + text { font-size: 11px; } .layer-name { font-weight: 600; }
.node:focus-visible :is(circle, rect), .node.picked :is(circle, rect) { stroke: var(--ink); stroke-width: 2; }
.spine { stroke: var(--line); stroke-width: 2; }
.edge { fill: none; stroke: var(--color); stroke-opacity: 0.26; } .edge.weak { display: none; }
.graph.picking .node { opacity: 0.22; } .graph.picking .edge { stroke-opacity: 0.05; }
.graph.picking .node.near { opacity: 1; } .graph.picking .edge.near { display: inline; stroke-opacity: 0.75; }
.graph-bar { display: flex; gap: 12px; align-items: flex-start; justify-content: space-between; border-top: 1px solid var(--line); padding: 10px 16px; }
.graph-info { margin: 0; font-size: 0.875rem; min-height: 3em; overflow-wrap: anywhere; } .graph-tools { display: flex; gap: 6px; flex: none; }
.graph-tools[hidden] { display: none; } .graph-tools button { min-width: 2.4em; }
@media screen and (max-width: 620px) { .graph-bar { flex-direction: column-reverse; } }
@media print { .graph-bar { display: none; } }
`;
