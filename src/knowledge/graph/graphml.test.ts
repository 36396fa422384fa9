import { describe, expect, it } from 'vitest';
import { writeGraphml } from './graphml.ts';
import type { KnowledgeGraph } from './knowledge-graph.ts';

const HOSTILE = '</data>]]>&amp;<!-- "\'> \u0000\u0008\ufffe\ud800 \n\t';

function graphOf(label: string): Pick<KnowledgeGraph, 'nodes' | 'edges'> {
  return {
    nodes: [
      { id: `input/${label}`, kind: 'input', label, importance: 0.5, attribution: 1e-7, occurrences: 3 },
      { id: 'layer/0', kind: 'layer', label: 'layer_0', importance: 1, attribution: 2, layer: 0 },
    ],
    edges: [{ from: `input/${label}`, to: 'layer/0', kind: 'reads', weight: 0.25 }],
  };
}

describe('GraphML', () => {
  it('has a node and an edge for each, with what is known of them', () => {
    const text = writeGraphml(graphOf('dog'));
    expect(text).toContain(
      '<key id="node-importance" for="node" attr.name="importance" attr.type="double"/>',
    );
    expect(text).toContain('<node id="input/dog"><data key="node-kind">input</data>');
    expect(text).toContain(
      '<data key="node-attribution">1e-7</data><data key="node-occurrences">3</data></node>',
    );
    expect(text).toContain(
      '<edge source="input/dog" target="layer/0"><data key="edge-kind">reads</data><data key="edge-weight">0.25</data></edge>',
    );
    expect(text).not.toContain('undefined');
  });

  it('lets no label end an element, and no character in that XML forbids', () => {
    const text = writeGraphml(graphOf(HOSTILE));
    // An XML parser reads it in test/knowledge-graph.test.ts.
    expect(text.match(/<data /g)).toHaveLength(5 + 5 + 2);
    expect(text.match(/<[^?/!][^>]*>/g)).toHaveLength(2 + 9 + 3 + 12);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0008\ufffe\ud800]|<!--|\]\]>/u);
    expect(text).toContain('&lt;/data&gt;]]&gt;&amp;amp;');
  });
});
