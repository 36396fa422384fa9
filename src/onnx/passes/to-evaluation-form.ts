import { toAttributes } from '../attributes.ts';
import { type Graph, intAttribute, type Node, type Value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { subgraphsOf } from '../used-values.ts';
import { mapSubgraphs } from './map-subgraphs.ts';

type Rewrite = (node: Node, opset: number) => Node[];

/** From this version on a BatchNormalization says that it trains; before, it did when it had more outputs than y. */
const TRAINING_MODE_OPSET = 14;
/** From this version on a Dropout may be told to train; before, it dropped nothing when a model answered. */
const DROPOUT_TRAINS_OPSET = 12;

/** A normalisation by the running statistics, which stay as they are. */
const batchNormalization: Rewrite = (node, opset) => {
  if (!normalizesByItsBatch(node, opset)) return [node];
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
 * dropped, also in the branches and bodies that its nodes hold. All values keep their names.
 */
export function toEvaluationForm(graph: Graph): Graph {
  const opset = graph.opsets.get('') ?? TRAINING_MODE_OPSET;
  const rewritten = (part: Graph): Graph => ({
    ...part,
    nodes: part.nodes
      .map((node) => mapSubgraphs(node, rewritten))
      .flatMap((node) =>
        node.domain === '' && Object.hasOwn(REWRITES, node.opType)
          ? REWRITES[node.opType](node, opset)
          : [node],
      ),
  });
  return rewritten(graph);
}

/** The nodes that answer as if the model was being trained, which an exporter leaves when it is told to. */
export function trainingNodes(graph: Graph): Node[] {
  const opset = graph.opsets.get('') ?? TRAINING_MODE_OPSET;
  const within = (part: Graph, known: ReadonlyMap<Value, Tensor>): Node[] => {
    const constants = new Map([...known, ...part.initializers]);
    for (const { opType, attributes, outputs } of part.nodes) {
      const value = attributes.get('value');
      if (opType === 'Constant' && value?.kind === 'tensor' && outputs[0])
        constants.set(outputs[0], value.value);
    }
    return part.nodes.flatMap((node) => [
      ...(normalizesByItsBatch(node, opset) || drops(node, opset, constants) ? [node] : []),
      ...subgraphsOf(node).flatMap((inner) => within(inner, constants)),
    ]);
  };
  return within(graph, new Map());
}

/** Whether a Dropout is told to train, or may be told so by a value that is not known. */
function drops(node: Node, opset: number, constants: ReadonlyMap<Value, Tensor>): boolean {
  if (node.domain !== '' || node.opType !== 'Dropout' || opset < DROPOUT_TRAINS_OPSET) return false;
  const [, ratio, training] = node.inputs;
  if (!training) return false;
  const [told, part] = [constants.get(training), ratio ? constants.get(ratio) : undefined];
  return !(told && Number(told.data[0]) === 0) && !(part && Number(part.data[0]) === 0);
}

function normalizesByItsBatch(node: Node, opset: number): boolean {
  if (node.domain !== '' || node.opType !== 'BatchNormalization') return false;
  return opset >= TRAINING_MODE_OPSET
    ? intAttribute(node, 'training_mode', 0) === 1
    : node.outputs.slice(1).some((value) => value !== null);
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
