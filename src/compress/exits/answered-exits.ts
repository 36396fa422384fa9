import type { Graph, TypedValue, Value } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { confidenceOf } from './confidence.ts';
import { type Exits, exitsOf } from './kept-exits.ts';

/** Where a sample may leave a network: at an exit, or at its end. */
export interface ExitAnswer {
  /** Of an exit its layer's name; absent for the end. */
  readonly layer?: string;
  /** float32 [batch, classes]. */
  readonly logits: Value;
  /** float32 [batch], 0 to 1. */
  readonly confidence: Value;
}

/** A network that answers at all of its exits at once, with how sure it is at each. */
export interface AnsweredExits {
  readonly graph: Graph;
  readonly exits: Exits;
  /** In the order in which a sample comes to them; the last one is the end. */
  readonly answers: readonly ExitAnswer[];
}

/**
 * Adds to a network with exits how sure each of them is. Outputs: the logits and the confidence of each exit, and those of the
 * end.
 *
 * @throws Error for a graph without exits
 */
export function answeredExits(graph: Graph): AnsweredExits {
  const exits = exitsOf(graph);
  if (!exits) throw new Error(`${graph.name} has no exits`);
  const g = new GraphBuilder(graph.opsets.get(''));
  const inputs = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (!type || !shape) throw new Error(`the input ${name} has no type or shape`);
    inputs.set(name, g.input(name, type, shape));
  }
  const values = g.inline(graph, inputs);
  const answers = [...exits.exits, { output: exits.output, layer: undefined }].map(({ output, layer }, i) => {
    const logits = values.get(output);
    if (!logits) throw new Error(`${graph.name} has no output ${output}`);
    const scope = layer === undefined ? 'end' : `exit_${i + 1}`;
    const confidence = g.scope(scope, () =>
      g.identity(confidenceOf(g, logits, exits.confidence), 'confidence'),
    );
    g.output(logits);
    g.output(confidence);
    return { ...(layer !== undefined && { layer }), logits, confidence };
  });
  for (const [key, line] of graph.metadata) g.setMetadata(key, line);
  return { graph: g.build(graph.name), exits, answers };
}
