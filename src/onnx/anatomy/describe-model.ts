import type { Graph } from '../graph.ts';
import type { ModelAnatomy } from './anatomy.ts';

/** What a model is made of: its layers, attention maps, hidden states and feature maps. */
export function describeModel(graph: Graph): ModelAnatomy {
  const logits = graph.outputs.find(({ name }) => name === 'logits');
  return { family: 'other', layers: [], ...(logits ? { logits: logits.name } : {}) };
}
