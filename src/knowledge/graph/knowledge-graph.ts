import { z } from 'zod';

const share = z.number().min(0).max(1);
const count = z.int().min(0);

/** What a node stands for. A `head` or a `channel` is part of a layer; an `input` is a token or a region of an image. */
const nodeKindSchema = z.enum(['input', 'layer', 'head', 'channel', 'class']);
export type NodeKind = z.infer<typeof nodeKindSchema>;

const graphNodeSchema = z.object({
  /** Unique: `layer/2`, `layer/2/head/5`, `input/dog`, `class/0`. */
  id: z.string(),
  kind: nodeKindSchema,
  /** For people. */
  label: z.string(),
  /** Its share of the attribution of all nodes of its kind; of a class: of the sample. */
  importance: share,
  /** Mean over the sample of what it adds to what the teacher decides (the logit of the class that it chose), without its sign. */
  attribution: z.number().min(0),
  /** The position of its layer, for layers, heads and channels. */
  layer: count.optional(),
  /** For one that stands for all that have no node of their own: how many. */
  others: count.optional(),
  /** How often the token occurred in the sample, how often the class was chosen. */
  occurrences: count.optional(),
});
export type GraphNode = z.infer<typeof graphNodeSchema>;

/**
 * `reads`: what an input adds through a head, a channel or at a layer. `part-of`: from a head or channel to its layer.
 * `passes`: from a layer to the next. `decides`: from a head, a channel or the last layer to the class that was chosen.
 */
const edgeKindSchema = z.enum(['reads', 'part-of', 'passes', 'decides']);
export type EdgeKind = z.infer<typeof edgeKindSchema>;

const graphEdgeSchema = z.object({
  /** Ids of nodes. */
  from: z.string(),
  to: z.string(),
  kind: edgeKindSchema,
  /** Mean over the sample of the attribution that goes this way, in logits. */
  weight: z.number().min(0),
});
export type GraphEdge = z.infer<typeof graphEdgeSchema>;

const graphLayerSchema = z.object({
  name: z.string(),
  /** As its node's. */
  importance: share,
  /** The shares of its heads or channels in what all of this layer have, in their order; empty where it has none. */
  heads: z.array(share),
  channels: z.array(share),
});

/** What a teacher's answers rest on: layers, heads or channels, inputs and classes. Plain JSON. */
export const knowledgeGraphSchema = z.object({
  version: z.literal(1),
  /** What it was read from: the hash of the teacher, and that of the sample. */
  teacher: z.string(),
  sample: z.string(),
  samples: count,
  unit: z.enum(['texts', 'images', 'clips']),
  /** The teacher's output that is asked about, where it is another than `logits`. */
  output: z.string().optional(),
  /** All of the teacher, from the input to the output: positions are those of `ModelAnatomy.layers`. */
  layers: z.array(graphLayerSchema),
  nodes: z.array(graphNodeSchema),
  edges: z.array(graphEdgeSchema),
});
export type KnowledgeGraph = z.infer<typeof knowledgeGraphSchema>;

/** Which teacher and which samples a graph is about. */
export type GraphSource = Pick<KnowledgeGraph, 'teacher' | 'sample' | 'unit' | 'output'>;

/** A number as it is written and used: six digits are more than a sample can tell. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
