import { z } from 'zod';
import type { Graph } from '../../onnx/graph.ts';
import { CONFIDENCES } from './confidence.ts';

/** Among a model's metadata: which of its outputs are exits, for whoever trains it further or ships it. */
const KEY = 'limbeck.exits';

const exitsSchema = z.object({
  /** The output of the last layer. */
  output: z.string(),
  confidence: z.enum(CONFIDENCES),
  /** The accuracy that leaving early may cost. */
  maxDrop: z.number(),
  weight: z.number(),
  self: z.number(),
  parts: z.boolean(),
  /** Whether the first exit is the network itself on a smaller image: then it shares weights with the rest. */
  shared: z.boolean(),
  /** From the first to the last but one: `output` is the exit's logits, float32 [batch, classes]. */
  exits: z.array(z.object({ output: z.string(), layer: z.string() })).min(1),
});

/** What is known of the exits of a model. */
export type Exits = z.infer<typeof exitsSchema>;

/** The graph with what is known of its exits, which a file keeps as well. */
export function withExits(graph: Graph, exits: Exits): Graph {
  return { ...graph, metadata: new Map([...graph.metadata, [KEY, JSON.stringify(exits)]]) };
}

/** The exits of a graph; undefined for one without, or whose metadata say something else. */
export function exitsOf({ metadata }: Pick<Graph, 'metadata'>): Exits | undefined {
  const text = metadata.get(KEY);
  if (text === undefined) return undefined;
  try {
    return exitsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The graph without its exits: the last layer's answer for every sample. */
export function withoutExits(graph: Graph): Graph {
  const exits = exitsOf(graph);
  if (!exits) return graph;
  const heads = new Set(exits.exits.map(({ output }) => output));
  const metadata = new Map(graph.metadata);
  metadata.delete(KEY);
  return { ...graph, outputs: graph.outputs.filter(({ name }) => !heads.has(name)), metadata };
}
