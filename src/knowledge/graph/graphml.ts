import type { KnowledgeGraph } from './knowledge-graph.ts';

/** The attributes of nodes and edges, as GraphML declares them: name, type, and what has it. */
const KEYS = [
  ['kind', 'string', 'node'],
  ['label', 'string', 'node'],
  ['importance', 'double', 'node'],
  ['attribution', 'double', 'node'],
  ['layer', 'int', 'node'],
  ['others', 'int', 'node'],
  ['occurrences', 'int', 'node'],
  ['kind', 'string', 'edge'],
  ['weight', 'double', 'edge'],
] as const;

/**
 * The graph as GraphML (Brandes et al., 2002), which Gephi, yEd, Cytoscape and networkx read. Labels come from anywhere:
 * what XML 1.0 has no place for is replaced.
 */
export function writeGraphml({ nodes, edges }: Pick<KnowledgeGraph, 'nodes' | 'edges'>): string {
  const keys = KEYS.map(
    ([name, type, of]) => `  <key id="${of}-${name}" for="${of}" attr.name="${name}" attr.type="${type}"/>`,
  );
  const data = (of: 'node' | 'edge', element: Readonly<Record<string, unknown>>) =>
    KEYS.filter(([name, , owner]) => owner === of && element[name] !== undefined)
      .map(([name]) => `<data key="${of}-${name}">${escapeXml(String(element[name]))}</data>`)
      .join('');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...keys,
    '  <graph id="knowledge" edgedefault="directed">',
    ...nodes.map((node) => `    <node id="${escapeXml(node.id)}">${data('node', node)}</node>`),
    ...edges.map(
      (edge) =>
        `    <edge source="${escapeXml(edge.from)}" target="${escapeXml(edge.to)}">${data('edge', edge)}</edge>`,
    ),
    '  </graph>',
    '</graphml>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
      .replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character] as string)
  );
}
