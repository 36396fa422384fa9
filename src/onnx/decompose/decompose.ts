import { LimbeckError } from '../../errors.ts';
import type { Graph, Node, TypedValue, Value } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import type { CopyPlace } from '../graph-recorder.ts';
import { operatorKey } from '../shape-inference/rules.ts';
import { ATTENTION } from './attention.ts';
import { BATCH_NORMALIZATION } from './batch-normalization.ts';
import { CAST_LIKE } from './cast-like.ts';
import { CONTROL_FLOW } from './control-flow.ts';
import type { Decomposition } from './decomposition.ts';
import { DROPOUT } from './dropout.ts';
import { LOOPS } from './loops.ts';
import { LOSSES } from './losses.ts';
import { NORMALIZATION } from './normalization.ts';
import { RECURRENT } from './recurrent.ts';
import { ROTARY_EMBEDDING } from './rotary-embedding.ts';
import { SEQUENCES } from './sequences.ts';

/** Every operator that is taken apart: `If`, `com.microsoft::Attention`. */
export const DECOMPOSITIONS: ReadonlyMap<string, Decomposition> = new Map(
  Object.entries({
    ...CONTROL_FLOW,
    ...LOOPS,
    ...SEQUENCES,
    ...NORMALIZATION,
    ...ROTARY_EMBEDDING,
    ...ATTENTION,
    ...RECURRENT,
    ...LOSSES,
    ...DROPOUT,
    ...BATCH_NORMALIZATION,
    ...CAST_LIKE,
  }),
);

/**
 * The same model without composite operators (attention, recurrence, losses, ...): what they compute is written with
 * ordinary ones, which have gradients. Values keep their names; forms that are not known stay as they are.
 */
export function decompose(graph: Graph): Graph {
  if (!graph.nodes.some((node) => DECOMPOSITIONS.has(operatorKey(node.domain, node.opType)))) return graph;
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    // What nothing is known of cannot be looked into; such models are left to who copies them next.
    if (!type || !shape) return graph;
    bound.set(name, g.input(name, type, shape));
  }
  const sequences = new Map<Value, readonly TypedValue[]>();
  const expand = (node: Node, place: CopyPlace) => {
    const decomposition = DECOMPOSITIONS.get(operatorKey(node.domain, node.opType));
    const inputs = node.inputs.map((value) => (value && place.read(value)) ?? null);
    if (!decomposition) return undefined;
    try {
      return decomposition({ g, node, inputs, place, sequences });
    } catch (error) {
      if (error instanceof LimbeckError) throw error;
      // Whatever it meets in a file is the file's fault; the node stays, and who needs it apart says so.
      return undefined;
    }
  };
  const values = g.copy(graph, bound, '', expand);
  for (const output of graph.outputs) g.output(values.get(output) as Value);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}
