import type { Batch } from '../../data/batch.ts';
import type { Graph } from '../../onnx/graph.ts';
import { graphCosts } from '../../onnx/parts/part-costs.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { feedsOf } from '../../teachers/model-batches.ts';

/** ONNX Runtime's arena grows by powers of two, and holds on average half as much again as is used. */
const ARENA = 1.5;

/**
 * The most bytes of values that live at once while a model answers a batch, as ONNX Runtime holds them: of a batch that was not run
 * whole. Values of unknown size count as nothing.
 */
export function batchBytes(graph: Graph, batch: Batch): number {
  const live = removeDeadNodes(graph);
  const feeds = Object.entries(feedsOf(live.inputs, batch));
  const costs = graphCosts(live, new Map(feeds.map(([name, { dims }]) => [name, dims])));
  const given = live.outputs.reduce((sum, output) => sum + (costs.bytes.get(output) ?? 0), 0);
  return ARENA * (costs.live.reduce((most, bytes) => Math.max(most, bytes), 0) + given);
}
