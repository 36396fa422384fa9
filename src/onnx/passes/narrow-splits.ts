import { type Graph, intAttribute, type Node, type Value } from '../graph.ts';
import { NodeEmitter, namesIn } from '../node-emitter.ts';

/**
 * Outputs of a Split. A WebGPU kernel binds a buffer for its input and for each output; WebGPU promises 8 of them (W3C
 * WebGPU, section 3.6.2, `maxStorageBuffersPerShaderStage`), and ONNX Runtime refuses a node that needs more.
 */
const MAX_OUTPUTS = 7;

/**
 * Splits with many outputs as trees of small ones, so that they run on WebGPU. What is copied twice for it is short: the
 * biases of a model that its optimizer updated at once.
 *
 * Splits whose sizes are not constants stay.
 */
export function narrowSplits(graph: Graph): Graph {
  if (!graph.nodes.some((node) => sizesOf(graph, node))) return graph;
  const emit = new NodeEmitter(namesIn(graph));
  for (const node of graph.nodes) {
    const sizes = sizesOf(graph, node);
    if (sizes) emitTree(emit, node, node.inputs[0] as Value, sizes, node.outputs as readonly Value[]);
    else emit.push(node);
  }
  return {
    ...graph,
    nodes: emit.nodes,
    initializers: new Map([...graph.initializers, ...emit.initializers]),
  };
}

/** The sizes of a Split that is too wide; undefined for other nodes. */
function sizesOf(graph: Graph, node: Node): number[] | undefined {
  const { outputs } = node;
  if (node.opType !== 'Split' || node.domain !== '' || outputs.length <= MAX_OUTPUTS) return undefined;
  const sizes = node.inputs[1] && graph.initializers.get(node.inputs[1]);
  if (!sizes || outputs.some((output) => output === null)) return undefined;
  return Array.from(sizes.data as BigInt64Array, Number);
}

function emitTree(
  emit: NodeEmitter,
  node: Node,
  from: Value,
  sizes: readonly number[],
  outputs: readonly Value[],
): void {
  const axis = intAttribute(node, 'axis', 0);
  if (sizes.length <= MAX_OUTPUTS) {
    emitSplit(emit, node, from, sizes, outputs);
    return;
  }
  let each = MAX_OUTPUTS;
  while (each * MAX_OUTPUTS < sizes.length) each *= MAX_OUTPUTS;
  const starts = Array.from({ length: Math.ceil(sizes.length / each) }, (_, i) => i * each);
  const groups = starts.map((start) => ({
    sizes: sizes.slice(start, start + each),
    outputs: outputs.slice(start, start + each),
  }));
  const totals = groups.map((group) => group.sizes.reduce((sum, size) => sum + size));
  const parts = totals.map((total) => ({
    ...emit.value('part'),
    type: from.type,
    shape: from.shape?.with(axis, total),
  }));
  emitSplit(emit, node, from, totals, parts);
  groups.forEach((group, i) => {
    emitTree(emit, node, parts[i], group.sizes, group.outputs);
  });
}

function emitSplit(
  emit: NodeEmitter,
  node: Node,
  from: Value,
  sizes: readonly number[],
  outputs: readonly Value[],
): void {
  const inputs = [from, emit.ints('sizes', sizes)];
  emit.push({ ...node, name: outputs[0].name, inputs, outputs });
}
