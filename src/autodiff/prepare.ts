import { isFloat } from '../onnx/data-type.ts';
import { decompose } from '../onnx/decompose/decompose.ts';
import type { Graph } from '../onnx/graph.ts';
import { DEFAULT_OPSET } from '../onnx/graph-recorder.ts';
import { foldConstants } from '../onnx/passes/fold-constants.ts';
import { sortNodes } from '../onnx/passes/sort-nodes.ts';
import { upgradeOpset } from '../onnx/passes/upgrade-opset/upgrade-opset.ts';

/** What a foreign model goes through, in this order. */
const PASSES: readonly ((graph: Graph) => Graph)[] = [sortNodes, toOurOpset, foldAroundWeights, decompose];

/**
 * A model as it was read from a file, in operators that can be differentiated. The names of its inputs, outputs,
 * initializers and of the values that its nodes compute stay.
 */
export function prepareForGradients(graph: Graph): Graph {
  return PASSES.reduce((prepared, pass) => pass(prepared), graph);
}

/** Rules emit operators of this version; a model may be newer. */
function toOurOpset(graph: Graph): Graph {
  return upgradeOpset(graph, Math.max(DEFAULT_OPSET, graph.opsets.get('') ?? 0));
}

/** Float initializers are what is differentiated by: nothing that they go into is a constant. */
function foldAroundWeights(graph: Graph): Graph {
  const weights = [...graph.initializers.keys()].filter((value) => value.type && isFloat(value.type));
  return foldConstants(graph, { parameters: new Set(weights) });
}
