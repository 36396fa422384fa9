import { toAttributes } from '../attributes.ts';
import type { Graph, Node } from '../graph.ts';
import { normalizesByBatch } from '../running-statistics.ts';

type Rewrite = (node: Node) => Node[];

/** A normalisation by the running statistics, which stay as they are. */
const batchNormalization: Rewrite = (node) => {
  if (!normalizesByBatch(node)) return [node];
  const attributes = new Map([...node.attributes].filter(([name]) => name !== 'training_mode'));
  const [, , , mean, variance] = node.inputs;
  const [y, nextMean, nextVariance] = node.outputs;
  const kept = [
    [mean, nextMean],
    [variance, nextVariance],
  ].flatMap(([from, to]) => (from && to ? [call('Identity', [from], [to])] : []));
  return [{ ...node, outputs: [y ?? null], attributes }, ...kept];
};

/** Nothing is dropped: an Identity; with a mask that says so where the node has one. */
const dropout: Rewrite = (node) => {
  const [data] = node.inputs;
  const [y, mask] = node.outputs;
  if (!data || !y) return [node];
  return mask ? [call('Dropout', [data], [y, mask])] : [call('Identity', [data], [y])];
};

const REWRITES: Readonly<Record<string, Rewrite>> = {
  BatchNormalization: batchNormalization,
  Dropout: dropout,
};

/**
 * The graph as it answers when it is not trained: batch normalisations use their running statistics, nothing is
 * dropped. All values keep their names. A graph of opset 12 or later.
 */
export function toEvaluationForm(graph: Graph): Graph {
  const nodes = graph.nodes.flatMap((node) =>
    node.domain === '' && Object.hasOwn(REWRITES, node.opType) ? REWRITES[node.opType](node) : [node],
  );
  return { ...graph, nodes };
}

function call(opType: string, inputs: Node['inputs'], outputs: Node['outputs']): Node {
  return {
    name: `${outputs[0]?.name}/evaluation`,
    opType,
    domain: '',
    inputs,
    outputs,
    attributes: toAttributes({}),
  };
}
