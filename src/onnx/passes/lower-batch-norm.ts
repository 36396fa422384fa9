import { float } from '../attributes.ts';
import { batchAxes } from '../batch-statistics.ts';
import { floatAttribute, type Graph, type Node, type Value } from '../graph.ts';
import { NodeEmitter, namesIn } from '../node-emitter.ts';
import { normalizesByBatch } from '../running-statistics.ts';
import { float32 } from '../tensor.ts';

/**
 * Batch normalisations in training form as ordinary operators: ONNX Runtime's CPU kernel for that form runs on one
 * thread (8 ms for [128, 32, 28, 28] on 2 cores, these operators 4: docs/performance.md). Mean and variance are emitted
 * as `batchStatistics` does, so that `mergeDuplicates` joins them with those that the gradient computes.
 *
 * Nodes whose input has an unknown rank stay.
 */
export function lowerBatchNorm(graph: Graph): Graph {
  if (!graph.nodes.some(normalizesByBatch)) return graph;
  const emit = new NodeEmitter(namesIn(graph));
  for (const node of graph.nodes) {
    const rank = node.inputs[0]?.shape?.length;
    if (normalizesByBatch(node) && rank !== undefined) lower(emit, node, rank);
    else emit.push(node);
  }
  return {
    ...graph,
    nodes: emit.nodes,
    initializers: new Map([...graph.initializers, ...emit.initializers]),
  };
}

function lower(emit: NodeEmitter, node: Node, rank: number): void {
  const [x, scale, bias, ...running] = node.inputs as readonly Value[];
  const [output, ...nextRunning] = node.outputs;
  const axes = emit.ints('axes', batchAxes(rank));
  const flat = emit.ints('shape', [-1]);
  const mean = emit.op('ReduceMean', [x, axes], { keepdims: 1 });
  const centred = emit.op('Sub', [x, mean]);
  const variance = emit.op('ReduceMean', [emit.op('Mul', [centred, centred]), axes], { keepdims: 1 });
  const statistics = [mean, variance].map((value) => emit.op('Reshape', [value, flat]));
  const momentum = floatAttribute(node, 'momentum', 0.9);
  const [kept, added] = [momentum, 1 - momentum].map((part) =>
    emit.constant('momentum', float32([part], [])),
  );
  nextRunning.forEach((next, i) => {
    if (!next) return;
    const before = emit.op('Mul', [running[i], kept]);
    emit.op('Add', [before, emit.op('Mul', [statistics[i], added])], {}, next);
  });
  const epsilon = float(floatAttribute(node, 'epsilon', 1e-5));
  emit.op('BatchNormalization', [x, scale, bias, ...statistics], { epsilon }, output as Value);
}
